import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import orthogonal

from asi_kernels.gates.effort import effort_for
from asi_kernels.gates.outcome import CandidateError, Outcome, run_gate
from asi_kernels.gates.precision import precision
from asi_kernels.gates.subject import ProbeShape, Subject


class _Rotated(nn.Module):
    """Its weight is the exponential of a matrix, which bfloat16 itself cannot carry far."""

    def __init__(
        self,
        hidden_size: int,
        num_heads: int,
        layer_index: int = 0,
        num_layers: int = 1,
    ) -> None:
        super().__init__()
        self.rotate = orthogonal(nn.Linear(hidden_size, hidden_size, bias=False))

    def forward(self, x: torch.Tensor, state: None = None) -> tuple[torch.Tensor, None]:
        places = torch.arange(1, x.shape[1] + 1)[:, None]
        return torch.cumsum(self.rotate(x), 1) / places, state


class _Broken(_Rotated):
    """No trainer would get numbers out of it where matrices are bfloat16."""

    def forward(self, x: torch.Tensor, state: None = None) -> tuple[torch.Tensor, None]:
        y = self.rotate(x)
        return (y * torch.nan if torch.is_autocast_enabled("cpu") or y.dtype == torch.bfloat16 else y), state


class _Complex(nn.Module):
    """Turns pairs of channels. torch.complex takes no bfloat16, which the layer before it gives under autocast."""

    WIDENS = False

    def __init__(
        self,
        hidden_size: int,
        num_heads: int,
        layer_index: int = 0,
        num_layers: int = 1,
    ) -> None:
        super().__init__()
        self.inner = nn.Linear(hidden_size, hidden_size, bias=False)
        self.angle = nn.Parameter(torch.rand(hidden_size // 2))

    def forward(self, x: torch.Tensor, state: None = None) -> tuple[torch.Tensor, None]:
        v = self.inner(x)
        wide = torch.promote_types(v.dtype, torch.float32) if self.WIDENS else v.dtype
        angle = self.angle.to(wide)
        turn = torch.complex(torch.cos(angle), torch.sin(angle))
        pairs = torch.complex(v[..., 0::2].to(wide), v[..., 1::2].to(wide))
        return torch.view_as_real(pairs * turn).flatten(-2).to(v.dtype), state


class _Widened(_Complex):
    WIDENS = True


def _precision(mixer_class: type[nn.Module]) -> Outcome:
    shape = ProbeShape(64, 2, 2, (32, 128), ((4, 32), (4, 128)))
    subject = Subject(mixer_class=mixer_class, shape=shape, seed=4)
    return precision(subject, effort_for(subject))


def test_what_is_finite_only_as_trainers_run_it_is_judged_as_they_run_it() -> None:
    outcome = _precision(_Rotated)
    assert outcome.verdict == "pass", outcome
    assert "under bfloat16 autocast" in outcome.evidence


def test_what_is_finite_in_neither_fails() -> None:
    outcome = _precision(_Broken)
    assert outcome.verdict == "fail"
    assert "under bfloat16 autocast are not finite" in outcome.evidence


def test_an_operator_without_bfloat16_is_told_with_autocast_and_what_to_do() -> None:
    with pytest.raises(CandidateError, match="BFloat16"):
        _precision(_Complex)
    row = run_gate("precision", lambda: _precision(_Complex), seed=4)
    assert row["verdict"] == "fail"
    assert "with autocast to bfloat16 on" in row["evidence"]
    assert "torch.promote_types(v.dtype, torch.float32)" in row["evidence"]


def test_the_remedy_works() -> None:
    outcome = _precision(_Widened)
    assert outcome.verdict == "pass", outcome

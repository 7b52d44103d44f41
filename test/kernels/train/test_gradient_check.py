"""The trainer holds the gradients that a layer process sends against what the loss does."""

from pathlib import Path
from typing import Any

import pytest
import torch

from asi_kernels.generate.baselines import baseline_genome, baseline_names
from asi_kernels.generate.emit import emit_program
from asi_kernels.gradients import LIMIT
from asi_kernels.train import gradient_check, run
from asi_kernels.train.gradient_check import GradientCheck, GradientLot

_STEPS = 8
_HONEST = Path(__file__).parents[2] / "fixtures" / "programs" / "honest"

_PROGRAM = """
import torch
from torch import nn


class Sent(torch.autograd.Function):
    @staticmethod
    def forward(ctx, w):
        ctx.save_for_backward(w)
        return w.clone()

    @staticmethod
    def backward(ctx, grad):
        (w,) = ctx.saved_tensors
        return GRADIENT


class Mixer(nn.Module):
    def __init__(self, hidden_size, num_heads, layer_index=0, num_layers=1):
        super().__init__()
        self.inner = nn.Linear(hidden_size, hidden_size)
        self.out = nn.Linear(hidden_size, hidden_size)
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, x, state=None):
        self.seen += 1
        h = nn.functional.dropout(self.inner(x), 0.2, self.training) * (1 + self.seen / 10)
        return nn.functional.linear(torch.tanh(h).cumsum(1), Sent.apply(self.out.weight), self.out.bias), None
"""


@pytest.fixture
def check_every_step(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Every step is checked; the shares that were seen."""
    seen: list[float] = []

    def refuses(self: GradientLot, mismatch: float) -> bool:
        seen.append(mismatch)
        return False

    monkeypatch.setattr(GradientLot, "is_due", lambda self, task_index, step: True)
    monkeypatch.setattr(GradientLot, "refuses", refuses)
    return seen


@pytest.mark.parametrize(
    "text",
    [
        *(pytest.param(emit_program(baseline_genome(name), name, "a test"), id=name) for name in baseline_names()),
        *(pytest.param(path.read_text(), id=path.stem) for path in sorted(_HONEST.glob("*.py"))),
        pytest.param(_PROGRAM.replace("GRADIENT", "grad"), id="dropout, a count and a function of its own"),
    ],
)
def test_honest_gradients_are_those_of_the_loss(
    tmp_path: Path, make_trial: Any, check_every_step: list[float], text: str
) -> None:
    result = run.run(make_trial(tmp_path, text, steps=_STEPS), tmp_path, lambda line: None)
    assert result["label"] is None, result["detail"]
    # A router may be undecided at a step or two.
    assert sorted(check_every_step)[-3] <= LIMIT / 2


@pytest.mark.parametrize(
    "sent",
    [
        "grad.sign()",
        "grad / (w.abs() + 1e-3)",
        "torch.zeros_like(grad)",
        "grad + 0.5 * w",
        "1e-6 * grad",
        "1e6 * grad",
    ],
)
def test_other_gradients_are_not(tmp_path: Path, make_trial: Any, check_every_step: list[float], sent: str) -> None:
    run.run(make_trial(tmp_path, _PROGRAM.replace("GRADIENT", sent), steps=_STEPS), tmp_path, lambda line: None)
    assert sorted(check_every_step)[len(check_every_step) // 2] > LIMIT


def test_a_trial_with_other_gradients_ends_and_says_so(tmp_path: Path, make_trial: Any) -> None:
    request = make_trial(tmp_path, _PROGRAM.replace("GRADIENT", "grad.sign()"), steps=30)
    result = run.run(request, tmp_path, lambda line: None)
    assert (result["status"], result["label"]) == ("failed", "integrity")
    assert "are not those of its forward pass" in result["detail"]


def test_the_check_changes_no_bit(tmp_path: Path, make_trial: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    text = _PROGRAM.replace("GRADIENT", "grad")
    digests = []
    for name, is_checked in (("checked", True), ("plain", False)):
        folder = tmp_path / name
        folder.mkdir()
        monkeypatch.setattr(GradientLot, "is_due", lambda self, task_index, step, due=is_checked: due)
        digests.append(run.run(make_trial(folder, text, steps=_STEPS), folder, lambda line: None)["lossDigest"])
    assert digests[0] == digests[1]


def test_the_lot_falls_on_every_step_but_the_first_and_the_last() -> None:
    tasks = [{"steps": 20}, {"steps": 10}]
    places = {GradientLot(tasks)._place for _ in range(2000)}
    assert places == {(0, step) for step in range(2, 19)} | {(1, step) for step in range(1, 9)}
    assert GradientLot([{"steps": 1}])._place is None


def test_one_mismatch_asks_for_a_second_look_and_two_end_the_trial() -> None:
    lot = GradientLot([{"steps": 20}])
    _, step = lot._place
    assert not lot.refuses(3 * LIMIT)
    assert lot._place[1] > step
    assert lot.refuses(3 * LIMIT)
    honest = GradientLot([{"steps": 20}])
    assert not honest.refuses(3 * LIMIT)
    assert not honest.refuses(LIMIT / 10)


def test_weights_in_half_precision_are_moved_as_far_as_they_can_be(
    tmp_path: Path, make_trial: Any, check_every_step: list[float]
) -> None:
    text = _PROGRAM.replace("GRADIENT", "grad").replace(
        "self.out = nn.Linear(hidden_size, hidden_size)",
        "self.out = nn.Linear(hidden_size, hidden_size)\n"
        "        self.turn = nn.Parameter(torch.randn(hidden_size).bfloat16() * 0.1)",
    )
    text = text.replace("torch.tanh(h).cumsum(1)", "(torch.tanh(h) * self.turn.float()).cumsum(1)")
    run.run(make_trial(tmp_path, text, steps=_STEPS), tmp_path, lambda line: None)
    assert max(check_every_step) <= LIMIT


def test_a_loss_that_does_not_move_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class StillLink:
        def keep(self) -> dict[str, torch.Tensor]:
            return {}

        def restore(self, kept: dict[str, torch.Tensor]) -> None: ...

    monkeypatch.setattr(gradient_check, "summed_loss", lambda logits, targets: 1.0)
    model = torch.nn.Linear(2, 2)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    batch = type("B", (), {"inputs": torch.ones(1, 2), "targets": torch.zeros(1, 2, dtype=torch.long)})()
    assert GradientCheck(model, StillLink(), batch, lambda: None).mismatch() == 0.0

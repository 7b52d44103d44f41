"""Gradients held against a value: right ones pass whatever it does, false ones do not, whatever stands beside."""

import random
from collections.abc import Callable

import pytest
import torch
from torch.nn import functional as F

from asi_kernels.finite_differences import Moved
from asi_kernels.gradients import LIMIT, Finding, hold_against

_LEAST = 2e-6
_LOTS = 20

# A value of float32 parts, by what is done between two maps of [rows, 16] inputs.
_SMOOTH: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "tanh": torch.tanh,
    "kinks": lambda h: F.relu(h) + h.abs(),
    "an exponential": lambda h: (-h.square()).exp(),
}
_HARD: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "a sign": lambda h: h.roll(1, -1) * torch.sign(h),
    "the largest four": lambda h: torch.where(h >= h.topk(4, -1).values[:, -1:], h, 0.0),
    "a rounding": lambda h: h + torch.round(4 * h) / 4,
    "a threshold": lambda h: torch.where(h > 0.3, h, 0.0),
    "half precision": lambda h: torch.tanh(h.bfloat16() * 2).float(),
}


class _Function:
    """A value with tensors of its own; `false` says what is sent in place of a gradient, by name."""

    def __init__(
        self, inner: Callable[[torch.Tensor], torch.Tensor], *, dial: float = 0.0, seed: int = 0, rows: int = 64
    ) -> None:
        drawn = torch.Generator().manual_seed(seed)
        self._inner = inner
        self._x = torch.randn(rows, 16, generator=drawn)
        self._aim = torch.randn(rows, 16, generator=drawn)
        self.tensors = {
            "first": torch.randn(16, 16, generator=drawn) / 4,
            "bias": torch.randn(16, generator=drawn) / 10,
            "second": torch.randn(16, 16, generator=drawn) / 4,
            "dial": torch.full((1,), dial or 1.0),
        }
        self._middle = dial

    def __call__(self) -> torch.Tensor:
        weights = self.tensors
        y = F.linear(self._inner(F.linear(self._x, weights["first"], weights["bias"])), weights["second"])
        y = y * (1 + weights["dial"] - self._middle) if self._middle else y
        return (y.double() * self._aim).sum() / (len(self._x) / 2)

    def gradients(self) -> dict[str, torch.Tensor | None]:
        for tensor in self.tensors.values():
            tensor.requires_grad_()
        found = torch.autograd.grad(self(), list(self.tensors.values()), allow_unused=True)
        for tensor in self.tensors.values():
            tensor.requires_grad_(False)
        return dict(zip(self.tensors, found, strict=True))


def _held(
    function: _Function,
    lot: int,
    false: dict[str, Callable[..., torch.Tensor]] | None = None,
    *,
    most_together: int = 2,
) -> Finding:
    gradients = function.gradients()
    for name, change in (false or {}).items():
        gradients[name] = change(gradients[name])
    return hold_against(
        [Moved(name, tensor, gradients[name]) for name, tensor in function.tensors.items()],
        lambda: function().item(),
        least_change=_LEAST,
        lot=random.Random(lot),
        most_together=most_together,
        most_passes=64,
    )


def _turned(gradient: torch.Tensor) -> torch.Tensor:
    left, _, right = torch.linalg.svd(gradient, full_matrices=False)
    return left @ right * gradient.norm() / 4


_FALSE: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "made orthogonal": _turned,
    "its sign": torch.sign,
    "nothing": torch.zeros_like,
    "a millionth": lambda gradient: 1e-6 * gradient,
    "a million times": lambda gradient: 1e6 * gradient,
    "another's": lambda gradient: gradient.flip(0),
}


@pytest.mark.parametrize("inner", _SMOOTH)
def test_right_gradients_of_a_smooth_value_explain_it(inner: str) -> None:
    findings = [_held(_Function(_SMOOTH[inner], dial=1000.0, seed=lot), lot) for lot in range(_LOTS)]
    assert all(finding.mismatch is None for finding in findings)
    assert sorted(finding.share for finding in findings)[_LOTS // 2] < LIMIT / 2


@pytest.mark.parametrize("inner", _HARD)
@pytest.mark.parametrize("rows", [64, 1024])
def test_right_gradients_are_not_refused_for_the_jumps_of_a_hard_choice(inner: str, rows: int) -> None:
    findings = [_held(_Function(_HARD[inner], dial=1000.0, seed=lot, rows=rows), lot) for lot in range(_LOTS)]
    assert [finding.mismatch for finding in findings if finding.mismatch] == []


def test_the_stairs_of_half_precision_are_passed_by_a_wider_movement() -> None:
    findings = [_held(_Function(_HARD["half precision"], seed=lot, rows=1024), lot) for lot in range(_LOTS)]
    assert sum(finding.num_jumped for finding in findings) <= 0.25 * len(_Function(torch.tanh).tensors) * _LOTS


@pytest.mark.parametrize("false", _FALSE)
@pytest.mark.parametrize("dial", [0.0, 10.0, 1000.0])
def test_one_false_gradient_is_found_and_named_whatever_moves_the_value_beside_it(false: str, dial: float) -> None:
    found = [
        _held(_Function(torch.tanh, dial=dial, seed=lot), lot, {"second": _FALSE[false]}, most_together=4).mismatch
        for lot in range(_LOTS)
    ]
    assert sum(mismatch is not None for mismatch in found) >= 0.7 * _LOTS
    assert {mismatch.name for mismatch in found if mismatch} == {"second"}


@pytest.mark.parametrize("inner", ["a sign", "the largest four", "a threshold"])
def test_false_gradients_are_found_behind_hard_choices_too(inner: str) -> None:
    # Before the choice, where it tips along many directions; with a hundred times the rows it would along all.
    false = {"first": _turned}
    found = [_held(_Function(_HARD[inner], seed=lot), lot, false).mismatch for lot in range(_LOTS)]
    assert sum(mismatch is not None for mismatch in found) >= 0.35 * _LOTS


class _Beside(_Function):
    """Vectors of their own beside the two maps, whose signs move the value a little, and jump."""

    def __init__(self, seed: int, *, num_decoys: int) -> None:
        super().__init__(torch.tanh, seed=seed, rows=256)
        drawn = torch.Generator().manual_seed(1000 + seed)
        self.tensors |= {f"decoy {place}": torch.randn(16, generator=drawn) for place in range(num_decoys)}

    def __call__(self) -> torch.Tensor:
        decoys = [tensor for name, tensor in self.tensors.items() if name.startswith("decoy")]
        choice = self._x @ torch.stack(decoys).mT
        small = 0.03 * torch.sign(choice).sum(1) + 0.0003 * choice.sum(1)
        return super().__call__() + (small.double() * self._aim[:, 0]).sum() / (len(self._x) / 2)


@pytest.mark.parametrize("num_decoys", [8, 64])
def test_tensors_that_jump_do_not_hide_a_false_gradient_beside_them(num_decoys: int) -> None:
    honest = [_held(_Beside(lot, num_decoys=num_decoys), lot, most_together=7) for lot in range(_LOTS)]
    assert [finding.mismatch for finding in honest if finding.mismatch] == []
    assert sum(finding.share > LIMIT for finding in honest) >= 0.9 * _LOTS  # they do jump
    found = [
        _held(_Beside(lot, num_decoys=num_decoys), lot, {"first": _turned}, most_together=7).mismatch
        for lot in range(_LOTS)
    ]
    assert sum(mismatch is not None for mismatch in found) >= 0.7 * _LOTS
    assert {mismatch.name for mismatch in found if mismatch} == {"first"}


def test_where_the_passes_end_the_lot_has_chosen_what_is_not_looked_at() -> None:
    function, asked = _Beside(0, num_decoys=64), []
    gradients = function.gradients()
    findings = []

    def value() -> float:
        asked.append(1)
        return function().item()

    for lot in range(_LOTS):
        asked.clear()
        findings.append(
            hold_against(
                [Moved(name, tensor, gradients[name]) for name, tensor in function.tensors.items()],
                value,
                least_change=_LEAST,
                lot=random.Random(lot),
                most_together=7,
                most_passes=24,
            )
        )
        # A tensor that was begun with, and the rows of one that had jumped.
        assert len(asked) <= 24 + 8 + 6 * 16
    assert all(0 < finding.num_unseen < len(function.tensors) for finding in findings)
    assert len({(finding.num_jumped, finding.num_unseen) for finding in findings}) > 1


def test_large_tensors_and_doubtful_ones_come_early() -> None:
    """What is asked first moves the large one, or the small one that is doubted, at nearly every lot."""
    small = {f"small {place}": torch.zeros(4) for place in range(8)}
    tensors = {**small, "large": torch.zeros(2048), "doubted": torch.zeros(4)}
    first = []

    def value() -> float:
        first.append(next(name for name, tensor in tensors.items() if tensor.any()))
        raise RuntimeError("seen")

    for lot in range(5 * _LOTS):
        with pytest.raises(RuntimeError, match="seen"):
            hold_against(
                [
                    Moved(name, tensor, torch.ones_like(tensor), 512.0 if name == "doubted" else 1.0)
                    for name, tensor in tensors.items()
                ],
                value,
                least_change=_LEAST,
                lot=random.Random(lot),
                most_together=1,
                most_passes=64,
            )
    assert first.count("large") + first.count("doubted") >= 0.95 * len(first)
    assert min(first.count("large"), first.count("doubted")) >= 0.3 * len(first)


def test_a_few_numbers_of_a_tensor_do_not_cover_for_the_rest_of_it() -> None:
    class Joined(_Function):
        """The dial as one more row of a matrix; what it does is a thousand times what any other number does."""

        def __init__(self, seed: int) -> None:
            super().__init__(torch.tanh, seed=seed)
            self.tensors["second"] = torch.cat([self.tensors["second"], torch.zeros(1, 16)])

        def __call__(self) -> torch.Tensor:
            own = self.tensors["second"]
            self.tensors["second"] = own[:16]
            try:
                return super().__call__() * (1 + 1000 * own[16, 0])
            finally:
                self.tensors["second"] = own

    def false_but_for_the_dial(gradient: torch.Tensor) -> torch.Tensor:
        return torch.cat([_turned(gradient[:16]), gradient[16:]])

    assert all(_held(Joined(lot), lot).mismatch is None for lot in range(_LOTS))
    found = [_held(Joined(lot), lot, {"second": false_but_for_the_dial}).mismatch for lot in range(_LOTS)]
    assert sum(mismatch is not None for mismatch in found) >= 0.6 * _LOTS


def test_a_kink_at_the_very_place_is_no_false_gradient() -> None:
    """A ReLU of zero: autograd says zero, and the value rises to one side of each number."""
    aim = torch.randn(64, generator=torch.Generator().manual_seed(0)).double()
    tensor = torch.zeros(64)
    findings = [
        hold_against(
            [Moved("dead", tensor, torch.zeros(64))],
            lambda: (F.relu(tensor) * aim).sum().item(),
            least_change=_LEAST,
            lot=random.Random(lot),
            most_together=2,
            most_passes=64,
        )
        for lot in range(5 * _LOTS)
    ]
    assert min(finding.share for finding in findings) > LIMIT
    assert sum(finding.mismatch is not None for finding in findings) <= 1


def test_a_value_that_does_not_move_says_nothing() -> None:
    tensor = torch.ones(3)
    finding = hold_against(
        [Moved("still", tensor, torch.zeros(3))],
        lambda: 1.0,
        least_change=_LEAST,
        lot=random.Random(0),
        most_together=2,
        most_passes=64,
    )
    assert finding == Finding(0.0, None)


def test_a_value_that_is_no_number_explains_nothing() -> None:
    tensor = torch.ones(3)
    finding = hold_against(
        [Moved("lost", tensor, torch.ones(3))],
        lambda: float("nan"),
        least_change=_LEAST,
        lot=random.Random(0),
        most_together=2,
        most_passes=64,
    )
    assert finding.share == float("inf")


def test_tensors_are_put_back_bit_by_bit_whatever_the_value_raises() -> None:
    function = _Function(torch.tanh)
    before = {name: tensor.clone() for name, tensor in function.tensors.items()}
    gradients, asked = function.gradients(), []

    def value() -> float:
        asked.append(1)
        if len(asked) == 3:
            raise RuntimeError("lost")
        return function().item()

    with pytest.raises(RuntimeError, match="lost"):
        hold_against(
            [Moved(name, tensor, gradients[name]) for name, tensor in function.tensors.items()],
            value,
            least_change=_LEAST,
            lot=random.Random(0),
            most_together=2,
            most_passes=64,
        )
    assert all(torch.equal(before[name], tensor) for name, tensor in function.tensors.items())

"""Tensors that a value depends on, moved both ways and put back: what the value does, and what gradients say it does
(central differences; J. Nocedal and S. Wright, "Numerical Optimization", 2006, section 8.1).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import NamedTuple

import torch

_WIDEST = 2e-2  # of a tensor's rms: past that a smooth function bends too
_LEAST_ROUNDINGS = 4  # of the tensor's type at its rms: below that most of its numbers stay where they are
_LEAST_RMS = 0.02  # of a tensor that begins at zero


class Moved(NamedTuple):
    """A tensor of any type and shape that the value depends on, and what is said to be its gradient (None: zero).
    `doubt`: how much likelier than by its size alone it is to be looked at early.
    """

    name: str
    tensor: torch.Tensor
    gradient: torch.Tensor | None
    doubt: float = 1.0


class Direction(NamedTuple):
    """Where a tensor goes, shaped as its real numbers. `told`: the rms of what its gradient says of one unit of it both
    ways, over the directions that might have been drawn. Units by which it can be moved: from `least` to `most`.
    """

    step: torch.Tensor
    told: float
    least: float
    most: float

    def units_for(self, change: float) -> float:
        """How far it takes for `change` of the value, as far as the tensor can be moved."""
        return min(self.most, max(self.least, change / self.told)) if self.told > 0 else self.most


class Look(NamedTuple):
    """The change of the value between two ends: as seen, as told by the gradients, and what they would have told by rms
    if each number had gone either way. `middle`: the mean of the value at both ends.
    """

    seen: float
    told: float
    expected: float
    middle: float

    @property
    def size(self) -> float:
        return max(abs(self.seen), abs(self.told), self.expected)

    @property
    def unexplained_share(self) -> float:
        share = abs(self.seen - self.told) / self.size if self.size != 0 else 0.0
        return share if math.isfinite(share) else math.inf


class Mover:
    """Moves tensors in place while `value` is asked; `put_back` leaves them as they were, bit by bit."""

    def __init__(self, moved: Sequence[Moved], value: Callable[[], float]) -> None:
        self._tensors = [entry.tensor for entry in moved]
        self._value = value
        self.num_passes = 0
        """How often the value was asked."""
        self._own = [tensor.detach().clone() for tensor in self._tensors]
        rms = [max(_LEAST_RMS, _rms_of(_real(own))) for own in self._own]
        self._most = [_WIDEST * each for each in rms]
        self.least = [
            min(most, _LEAST_ROUNDINGS * torch.finfo(own.dtype).eps * each)
            for own, each, most in zip(self._own, rms, self._most, strict=True)
        ]
        """The least rms by which each tensor can be moved, in its own units."""
        self.gradients = [
            torch.zeros_like(_real(own)) if entry.gradient is None else _real(entry.gradient)
            for entry, own in zip(moved, self._own, strict=True)
        ]
        """Of each tensor, complex numbers as pairs of real ones."""

    def direction(self, index: int, step: torch.Tensor, told: float) -> Direction:
        """`step` for tensor `index`, which must not be zero. How far it goes is by the rms of the numbers that move."""
        size = step.norm().item() / math.sqrt(max(1, int(torch.count_nonzero(step))))
        return Direction(step, told, self.least[index] / size, self._most[index] / size)

    def look(self, directions: dict[int, Direction], units: dict[int, float]) -> Look:
        """Moves each of the tensors by so many units of its direction."""
        self._move(directions, units, 1.0)
        up, ends = self._ask(), {index: _real(self._tensors[index]).double() for index in directions}
        self._move(directions, units, -1.0)
        down = self._ask()
        # By the tensors as they were stored: one in half precision does not move as far as it was asked to.
        parts = [(end - _real(self._tensors[index])) * self.gradients[index] for index, end in ends.items()]
        self._restore(directions)
        told, expected = sum(part.sum().item() for part in parts), math.hypot(*(part.norm().item() for part in parts))
        return Look(up - down, told, expected, (up + down) / 2)

    @cached_property
    def at_rest(self) -> float:
        """The value where nothing is moved."""
        return self._ask()

    def _ask(self) -> float:
        self.num_passes += 1
        return self._value()

    def put_back(self) -> None:
        self._restore(range(len(self._tensors)))

    def _restore(self, indices: Sequence[int] | dict[int, Direction]) -> None:
        for index in indices:
            self._tensors[index].copy_(self._own[index])

    def _move(self, directions: dict[int, Direction], units: dict[int, float], sign: float) -> None:
        for index, direction in directions.items():
            _real(self._tensors[index]).copy_(_real(self._own[index]) + sign * units[index] * direction.step)


def _real(values: torch.Tensor) -> torch.Tensor:
    return torch.view_as_real(values.resolve_conj()) if values.is_complex() else values


def _rms_of(values: torch.Tensor) -> float:
    return values.float().pow(2).mean().sqrt().item() if values.numel() > 0 else 0.0

"""Whether gradients are those of a value: it is moved both ways along random directions, and its change held against
them (central differences; J. Nocedal and S. Wright, "Numerical Optimization", 2006, section 8.1).

Serves the gate `gradient`, on a mixer alone, and the trainer, on a whole model whose layers compute elsewhere.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch

LIMIT = 0.1
"""Largest part of a change that may be left unexplained: the median over directions, by their rms."""

_NUM_DIRECTIONS = 5
# Shares of a tensor's rms. Short ones, since a memory of many steps bends fast and a router that tips makes the value
# jump; the wider ones are for mixers that round to half precision inside.
_STEPS = (3e-5, 3e-4, 2e-3, 1e-2, 5e-2)
_LEAST_RMS = 0.02  # of a tensor that begins at zero
_WIDEST = 5.0  # times the step, for tensors whose gradient is small


class Moved(NamedTuple):
    """A tensor of any type and shape that the value depends on, and what is said to be its gradient (None: zero)."""

    tensor: torch.Tensor
    gradient: torch.Tensor | None


@torch.no_grad()
def unexplained_share(
    moved: Sequence[Moved], value: Callable[[], float], *, least_change: float, generator: torch.Generator
) -> float:
    """The share at the step size that explains most; 0 where the value moves by less than `least_change`.

    `value` is asked with the tensors moved in place; they are put back bit by bit, whatever it raises.
    """
    own = [entry.tensor.detach().clone() for entry in moved]
    try:
        return min(_until_explained(_share(moved, own, value, step, least_change, generator) for step in _STEPS))
    finally:
        for entry, values in zip(moved, own, strict=True):
            entry.tensor.copy_(values)


def _share(
    moved: Sequence[Moved],
    own: list[torch.Tensor],
    value: Callable[[], float],
    step: float,
    least_change: float,
    generator: torch.Generator,
) -> float:
    seen, told = [], []
    for _ in range(_NUM_DIRECTIONS):
        directions = [
            scale * torch.randn(_real(values).shape, generator=generator)
            for values, scale in zip(own, _scales(moved, own, step), strict=True)
        ]
        _move(moved, own, directions, 1.0)
        up, ends = value(), [_real(entry.tensor).double() for entry in moved]
        _move(moved, own, directions, -1.0)
        seen.append(up - value())
        # By the tensors as they were stored: one in half precision does not move as far as it was told.
        told.append(
            sum(
                ((end - _real(entry.tensor)) * _real(entry.gradient)).sum().item()
                for entry, end in zip(moved, ends, strict=True)
                if entry.gradient is not None
            )
        )
    largest = _rms([max(abs(a), abs(b)) for a, b in zip(seen, told, strict=True)])
    if largest < least_change:
        return 0.0
    # The median, because a choice that tips along one direction has no gradient.
    share = statistics.median(abs(a - b) for a, b in zip(seen, told, strict=True)) / largest
    return share if math.isfinite(share) else math.inf


def _move(moved: Sequence[Moved], own: list[torch.Tensor], directions: list[torch.Tensor], sign: float) -> None:
    for entry, values, direction in zip(moved, own, directions, strict=True):
        _real(entry.tensor).copy_(_real(values) + sign * direction)


def _scales(moved: Sequence[Moved], own: list[torch.Tensor], step: float) -> list[float]:
    """How far each tensor moves: about as much as moves the value alike, so that none hides behind the others."""
    rms = [max(_LEAST_RMS, _rms_of(_real(values))) for values in own]
    norms = [0.0 if entry.gradient is None else _real(entry.gradient).norm().item() for entry in moved]
    most = max((norm * size for norm, size in zip(norms, rms, strict=True)), default=0.0)
    return [
        step * size * min(_WIDEST, most / (norm * size) if norm * size > 0 else _WIDEST)
        for norm, size in zip(norms, rms, strict=True)
    ]


def _until_explained(shares: Iterator[float]) -> Iterator[float]:
    for share in shares:
        yield share
        if share <= LIMIT:
            return


def _real(values: torch.Tensor) -> torch.Tensor:
    return torch.view_as_real(values) if values.is_complex() else values


def _rms_of(values: torch.Tensor) -> float:
    return values.float().pow(2).mean().sqrt().item() if values.numel() > 0 else 0.0


def _rms(values: list[float]) -> float:
    return math.sqrt(sum(value * value for value in values) / len(values))

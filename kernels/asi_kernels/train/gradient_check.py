"""Whether the gradients of a step are those of the loss that it computed. Runs in the trainer, on its own weights.

A layer process computes its own backward pass, so that it could send anything: gradients made orthogonal or scaled by
a second moment of its own are another optimiser, not another architecture. Here the weights are moved a little both
ways along random directions, and the change of the loss is held against what the gradients say (central differences;
J. Nocedal and S. Wright, "Numerical Optimization", 2006, section 8.1). It comes after the backward pass, at steps drawn
by lot, so that no program knows in time which gradients are looked at. Covers gradients of parameters, and those of
activations by what they do to the parameters below. Does not cover a program that makes up its activations too while it
is looked at, nor what is smaller than a tenth of a direction. Straight-through estimators are refused by the gate
`gradient` before.
"""

from __future__ import annotations

import math
import random
import statistics
from typing import Any

import torch
from torch import nn

from asi_kernels.data.batch import IGNORED, Batch

from .layers.link import LayerLink
from .loss import summed_loss

LIMIT = 0.1
"""Largest part of the loss's change that may be left unexplained: the median over directions, by their rms."""

_NUM_DIRECTIONS = 5
# Shares of a tensor's rms. Short ones, since a memory of many steps bends fast and a router that tips makes the loss
# jump; the wider ones are for mixers that round to half precision inside.
_STEPS = (3e-5, 3e-4, 2e-3, 1e-2)
_LEAST_RMS = 0.02  # of a tensor that begins at zero
_WIDEST = 5.0  # times the step, for tensors whose gradient is small
_LEAST_CHANGE = 5e-8  # of a mean loss in nats, below which float32 activations say nothing


class GradientLot:
    """Which step of a trial is checked: one of all tasks, drawn by the system's randomness, anew for each attempt.

    Where it does not hold, a later step of the same task is looked at as well: a router that is undecided at one step
    is not at every one.
    """

    def __init__(self, tasks: list[dict[str, Any]]) -> None:
        self._random = random.SystemRandom()
        places = [(index, step) for index, task in enumerate(tasks) for step in _steps_to_draw(task["steps"])]
        self._tasks = tasks
        self._place = self._random.choice(places) if places else None
        self._is_second = False

    def is_due(self, task_index: int, step: int) -> bool:
        return (task_index, step) == self._place

    def refuses(self, mismatch: float) -> bool:
        """Whether this share, seen at the step that was due, ends the trial."""
        if mismatch <= LIMIT or self._is_second:
            return mismatch > LIMIT
        self._is_second = True
        task_index, step = self._place
        self._place = (task_index, self._random.randrange(step + 1, self._tasks[task_index]["steps"]))
        return False


def _steps_to_draw(steps: int) -> range:
    """Not the first, when choices are still undecided, nor the last, after which there is no second look."""
    return range(min(steps // 10, steps - 2), steps - 1) if steps > 1 else range(0)


class GradientCheck:
    """The check of one step. Made before its forward pass; `mismatch` is asked after its backward pass, and leaves
    weights, gradients, buffers and random numbers of both processes as it found them.
    """

    def __init__(self, model: nn.Module, link: LayerLink, batch: Batch) -> None:
        self._model = model
        self._link = link
        self._batch = batch
        self._before = link.keep()

    @torch.no_grad()
    def mismatch(self) -> float:
        """The unexplained share at the step size that explains most; 0 where the loss does not move."""
        after = self._link.keep()
        moved = []
        for parameter in self._model.parameters():
            if parameter.requires_grad:
                # The layers' gradients lie in memory that the next forward pass fills with weights.
                parameter.grad = None if parameter.grad is None else parameter.grad.clone()
                moved.append((parameter, parameter.detach().clone()))
        generator = torch.Generator().manual_seed(random.SystemRandom().getrandbits(63))
        try:
            shares = (self._unexplained(moved, step, generator) for step in _STEPS)
            return min(share for share in _until(shares, LIMIT))
        finally:
            self._put_back(moved)
            self._link.restore(after)

    def _unexplained(
        self, moved: list[tuple[nn.Parameter, torch.Tensor]], step: float, generator: torch.Generator
    ) -> float:
        scales = _scales(moved, step)
        seen, told = [], []
        for _ in range(_NUM_DIRECTIONS):
            directions = [
                scale * torch.randn(_real(own).shape, generator=generator)
                for (_, own), scale in zip(moved, scales, strict=True)
            ]
            up = self._loss_at(moved, directions, 1.0)
            ends = [_real(parameter).double() for parameter, _ in moved]
            down = self._loss_at(moved, directions, -1.0)
            seen.append(up - down)
            # By the weights as they were stored: one in half precision does not move as far as it was told.
            told.append(
                sum(
                    ((end - _real(parameter)) * _real(parameter.grad)).sum().item()
                    for (parameter, _), end in zip(moved, ends, strict=True)
                    if parameter.grad is not None
                )
            )
        largest = _rms([max(abs(a), abs(b)) for a, b in zip(seen, told, strict=True)])
        if largest < _LEAST_CHANGE:
            return 0.0
        # The median, because a choice that tips along one direction has no gradient.
        share = statistics.median(abs(a - b) for a, b in zip(seen, told, strict=True)) / largest
        return share if math.isfinite(share) else math.inf

    def _loss_at(
        self, moved: list[tuple[nn.Parameter, torch.Tensor]], directions: list[torch.Tensor], sign: float
    ) -> float:
        """Mean loss in nats of the batch, from the random numbers and buffers that the step began with."""
        for (parameter, own), direction in zip(moved, directions, strict=True):
            _real(parameter).copy_(_real(own) + sign * direction)
        self._link.restore(self._before)
        logits = self._model(self._batch.inputs)
        return summed_loss(logits.double(), self._batch.targets) / int((self._batch.targets != IGNORED).sum())

    def _put_back(self, moved: list[tuple[nn.Parameter, torch.Tensor]]) -> None:
        for parameter, own in moved:
            parameter.copy_(own)


def _scales(moved: list[tuple[nn.Parameter, torch.Tensor]], step: float) -> list[float]:
    """How far each tensor moves: about as much as moves the loss alike, so that none hides behind the others."""
    rms = [max(_LEAST_RMS, _rms_of(_real(own))) for _, own in moved]
    norms = [0.0 if parameter.grad is None else _real(parameter.grad).norm().item() for parameter, _ in moved]
    most = max((norm * size for norm, size in zip(norms, rms, strict=True)), default=0.0)
    return [
        step * size * min(_WIDEST, most / (norm * size) if norm * size > 0 else _WIDEST)
        for norm, size in zip(norms, rms, strict=True)
    ]


def _until(shares: Any, limit: float) -> Any:
    """What comes, up to the first one that is within the limit."""
    for share in shares:
        yield share
        if share <= limit:
            return


def _real(values: torch.Tensor) -> torch.Tensor:
    return torch.view_as_real(values) if values.is_complex() else values


def _rms_of(values: torch.Tensor) -> float:
    return values.float().pow(2).mean().sqrt().item() if values.numel() > 0 else 0.0


def _rms(values: list[float]) -> float:
    return math.sqrt(sum(value * value for value in values) / len(values))

"""Whether the gradients of a step are those of the loss that it computed. Runs in the trainer, on its own weights.

A layer process computes its own backward pass, so that it could send anything: gradients made orthogonal or scaled by
a second moment of its own are another optimiser, not another architecture. The check comes after the backward pass, at
a step drawn by lot, so that no program knows in time which gradients are looked at. Covers gradients of parameters, and
those of activations by what they do to the parameters below. Does not cover a program that makes up its activations
too while it is looked at, nor what is smaller than a tenth of a direction.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from asi_kernels.data.batch import IGNORED, Batch
from asi_kernels.gradients import LIMIT, Moved, unexplained_share

from .layers.link import LayerLink
from .loss import summed_loss

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

    def __init__(self, model: nn.Module, link: LayerLink, batch: Batch, beat: Callable[[], None]) -> None:
        """`beat` is called before each forward pass: a slow mixer is at work, not silent."""
        self._model = model
        self._beat = beat
        self._link = link
        self._batch = batch
        self._before = link.keep()

    def mismatch(self) -> float:
        """The unexplained share of the loss's change (`unexplained_share`)."""
        after = self._link.keep()
        moved = []
        for parameter in self._model.parameters():
            if parameter.requires_grad:
                # The layers' gradients lie in memory that the next forward pass fills with weights.
                parameter.grad = None if parameter.grad is None else parameter.grad.clone()
                moved.append(Moved(parameter, parameter.grad))
        generator = torch.Generator().manual_seed(random.SystemRandom().getrandbits(63))
        try:
            return unexplained_share(moved, self._loss, least_change=_LEAST_CHANGE, generator=generator)
        finally:
            self._link.restore(after)

    def _loss(self) -> float:
        """Mean loss in nats of the batch, from the random numbers and buffers that the step began with."""
        self._beat()
        self._link.restore(self._before)
        logits = self._model(self._batch.inputs)
        return summed_loss(logits.double(), self._batch.targets) / int((self._batch.targets != IGNORED).sum())

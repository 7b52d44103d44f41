"""Whether the gradients of a step are those of the loss that it computed. Runs in the trainer, on its own weights.

A layer process computes its own backward pass, so that it could send anything: gradients made orthogonal or scaled by
a second moment of its own are another optimiser, not another architecture. Whether a step is looked at is drawn when
its gradients have come, and until then nothing that the layer process can see differs from step to step. Covers
gradients of parameters, and those of activations by what they do to the trainer's own tensors. Does not cover a program
that makes up its activations too once it is looked at, nor what `hold_against` does not.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from asi_kernels.data.batch import IGNORED, Batch
from asi_kernels.finite_differences import Moved
from asi_kernels.gradients import Finding, hold_against

from .layers.link import LayerLink
from .loss import summed_loss

_LEAST_CHANGE = 2e-7  # of a mean loss in nats: float32 activations leave about a tenth of it uncertain
_NUM_MORE = 2
_MOST_TOGETHER = 7  # of some twenty-five tensors: six forward passes for a program without hard choices
# For one with them: some thirty with what is begun by then. Three such looks are a sixth of a `quick` trial's CPU.
_MOST_PASSES = 24
_OWN_DOUBT = 0.25  # of gradients that the trainer computes itself: false only where those of activations are


class GradientLot:
    """Which steps of a trial are looked at, drawn by the system's randomness, anew for each attempt: one of the steps
    that it still has to do, and any other by a chance that makes two more on average of a whole trial.

    A program notices that it was looked at. It learns nothing of what comes: any later step may be another.
    """

    def __init__(self, tasks: list[dict[str, Any]], *, begins_at: tuple[int, int] = (0, 0)) -> None:
        """`begins_at`: the index of the task and the step that the attempt begins with."""
        self._random = random.SystemRandom()
        places = [(index, step) for index, task in enumerate(tasks) for step in range(task["steps"])]
        ahead = [place for place in places if place >= begins_at]
        self._sure = self._random.choice(ahead) if ahead else None
        self._chance = _NUM_MORE / max(1, len(places))

    def is_due(self, task_index: int, step: int) -> bool:
        """To be asked once a step, after its backward pass."""
        return (task_index, step) == self._sure or self._random.random() < self._chance


class GradientCheck:
    """The check of one step, after its backward pass. Leaves weights, gradients, buffers and random numbers of both
    processes as it found them.
    """

    def __init__(
        self,
        model: nn.Module,
        link: LayerLink,
        batch: Batch,
        *,
        before: dict[str, torch.Tensor],
        beat: Callable[[], None],
    ) -> None:
        """`before`: what the link kept before the step. `beat` is called before each forward pass: a slow mixer is at
        work, not silent.
        """
        self._model = model
        self._link = link
        self._batch = batch
        self._before = before
        self._beat = beat

    def finding(self) -> Finding:
        """Nothing for gradients that are not finite: the optimiser will not take them."""
        gradients = [parameter.grad for parameter in self._model.parameters() if parameter.grad is not None]
        if not all(torch.isfinite(gradient).all() for gradient in gradients):
            return Finding(0.0, None)
        after = self._link.keep()
        moved = []
        for name, parameter in self._model.named_parameters():
            if parameter.requires_grad:
                # The layers' gradients lie in memory that the next forward pass fills with weights.
                parameter.grad = None if parameter.grad is None else parameter.grad.clone()
                moved.append(Moved(name, parameter, parameter.grad, 1.0 if ".mixer." in name else _OWN_DOUBT))
        # What the layers raise while they are asked ends the trial under its own label: nobody is left to restore.
        finding = hold_against(
            moved,
            self._loss,
            least_change=_LEAST_CHANGE,
            lot=random.SystemRandom(),
            most_together=_MOST_TOGETHER,
            most_passes=_MOST_PASSES,
        )
        self._link.restore(after)
        return finding

    def _loss(self) -> float:
        """Mean loss in nats of the batch, from the random numbers and buffers that the step began with."""
        self._beat()
        self._link.restore(self._before)
        logits = self._model(self._batch.inputs)
        return summed_loss(logits.double(), self._batch.targets) / int((self._batch.targets != IGNORED).sum())

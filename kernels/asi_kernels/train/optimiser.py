"""The optimiser of every trial: AdamW, gradient norm clipped, linear warm-up, cosine decay.

Written out on one flat vector for two reasons: making a `torch.optim` optimiser imports torch's compiler, which costs
a fresh process more time than thirty steps of a small trial, and a few operations on a hundred thousand numbers cost
less than the same on forty small tensors. N is the number of trainable numbers of the model.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

_BETA_1, _BETA_2 = 0.9, 0.98
_EPSILON = 1e-8
_LARGEST_GRADIENT_NORM = 1.0
_WARM_UP_SHARE = 0.1
_FINAL_SHARE = 0.05  # of the peak learning rate


class Optimiser:
    """AdamW (Loshchilov & Hutter, arXiv 1711.05101, algorithm 2) with weight decay on matrices only.

    Moments are float32 whatever a parameter is. A parameter without a gradient counts as one with gradient zero.
    """

    def __init__(self, model: nn.Module, task: dict[str, Any]) -> None:
        self._task = task
        named = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
        self._parameters = [parameter for _, parameter in named]
        self._sizes = [_real(parameter).numel() for parameter in self._parameters]
        self._first = torch.zeros(sum(self._sizes))  # [N] running mean of gradients
        self._second = torch.zeros(sum(self._sizes))  # [N] running mean of their squares
        self._count = 0
        mixers = [torch.full((size,), ".mixer." in name) for (name, _), size in zip(named, self._sizes, strict=True)]
        in_mixer = torch.cat(mixers) if mixers else torch.zeros(0, dtype=torch.bool)  # [N]
        self._kinds = torch.stack([in_mixer, ~in_mixer]).float()  # [2, N] 1 for numbers of a mixer, and for all others
        # [2, 2] sums of the sizes of their clipped gradients, and of the squares
        self._pull = torch.zeros(2, 2, dtype=torch.float64)

    @property
    def pull(self) -> float | None:
        """How much further a step of equal size in every number carries the loss by the mixers' numbers than by all
        others, by the clipped gradients of all steps so far: the sum of their sizes over that of the others. Adam moves
        every number about as far, so that a mixer with a larger pull learns at a higher rate than others do. Storing
        W / S and using S W raises it by S and changes nothing else. None before the first step, or without numbers of
        either kind.
        """
        mixers, others = self._pull[0].tolist()
        return mixers / others if others > 0 and self._kinds[0].any() else None

    @property
    def pull_of_one(self) -> float | None:
        """The same of one number instead of all: the mean size of a gradient, each number weighted by its own, of
        mixers over that of others. Numbers that hardly count in the loss hardly count here, so that none of them
        thins it out.
        """
        sizes, squares = self._pull
        mixers, others = (squares / sizes.clamp_min(1e-300)).tolist()
        return mixers / others if others > 0 and self._kinds[0].any() else None

    @torch.no_grad()
    def step(self, step: int) -> float:
        """Applies the gradients as step `step` (from 0) and clears them. Returns their norm before clipping.

        A norm that is not finite changes nothing: the caller ends the run.
        """
        gradient = self._take_gradient()
        norm = torch.linalg.vector_norm(gradient).item()
        if not math.isfinite(norm):
            return norm
        if norm > _LARGEST_GRADIENT_NORM:
            gradient.mul_(_LARGEST_GRADIENT_NORM / norm)
        # Clipped, so that no step counts for many: at one with huge gradients of all others a mixer's would vanish.
        self._pull[0] += self._kinds @ gradient.abs()
        self._pull[1] += self._kinds @ gradient.square()
        self._count += 1
        self._first.lerp_(gradient, 1 - _BETA_1)
        self._second.mul_(_BETA_2).addcmul_(gradient, gradient, value=1 - _BETA_2)
        scale = (self._second / (1 - _BETA_2**self._count)).sqrt_().add_(_EPSILON)
        change = torch.div(self._first, scale, out=gradient)
        rate = learning_rate(self._task, step)
        decay = 1 - rate * self._task["weightDecay"]
        for parameter, piece in zip(self._parameters, change.split(self._sizes), strict=True):
            if parameter.dim() >= 2:
                parameter.mul_(decay)
            values = _real(parameter)
            values.add_(piece.view(values.shape), alpha=-rate / (1 - _BETA_1**self._count))
        return norm

    def state(self) -> dict[str, torch.Tensor]:
        """Moments [N], step count and sums [2, 2] of the pull, for load_state."""
        return {
            "first": self._first,
            "second": self._second,
            "count": torch.tensor(self._count),
            "pull": self._pull,
        }

    def load_state(self, state: dict[str, torch.Tensor]) -> None:
        self._first.copy_(state["first"])
        self._second.copy_(state["second"])
        self._count = int(state["count"])
        self._pull.copy_(state["pull"])

    def _take_gradient(self) -> torch.Tensor:
        pieces = []
        for parameter, size in zip(self._parameters, self._sizes, strict=True):
            gradient, parameter.grad = parameter.grad, None
            pieces.append(torch.zeros(size) if gradient is None else _real(gradient).reshape(-1).float())
        return torch.cat(pieces)


def learning_rate(task: dict[str, Any], step: int) -> float:
    """10 % of the steps linearly up to the peak, then half a cosine down to 5 % of it at the last step."""
    steps, peak = task["steps"], task["learningRate"]
    warm_up = max(1, round(_WARM_UP_SHARE * steps))
    if step < warm_up:
        return peak * (step + 1) / warm_up
    progress = (step + 1 - warm_up) / max(1, steps - warm_up)
    return peak * (_FINAL_SHARE + (1 - _FINAL_SHARE) * 0.5 * (1 + math.cos(math.pi * progress)))


def _real(values: torch.Tensor) -> torch.Tensor:
    """Complex numbers as pairs of real ones, in the same memory."""
    return torch.view_as_real(values) if values.is_complex() else values

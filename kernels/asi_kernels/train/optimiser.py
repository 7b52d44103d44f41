"""The optimiser of every trial: AdamW, gradient norm clipped, linear warm-up, cosine decay."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

_BETAS = (0.9, 0.98)
_LARGEST_GRADIENT_NORM = 1.0
_WARM_UP_SHARE = 0.1
_FINAL_SHARE = 0.05  # of the peak learning rate


class Optimiser:
    """AdamW (Loshchilov & Hutter, arXiv 1711.05101) over all parameters of a model, weight decay on matrices only."""

    def __init__(self, model: nn.Module, task: dict[str, Any]) -> None:
        self._task = task
        self._parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        matrices = [parameter for parameter in self._parameters if parameter.dim() >= 2]
        others = [parameter for parameter in self._parameters if parameter.dim() < 2]
        groups = [
            {"params": matrices, "weight_decay": task["weightDecay"]},
            {"params": others, "weight_decay": 0.0},
        ]
        # Fused runs one loop a tensor instead of ten; complex parameters have no fused form.
        fused = not any(parameter.is_complex() for parameter in self._parameters)
        self._adamw = torch.optim.AdamW(
            [group for group in groups if group["params"]], lr=task["learningRate"], betas=_BETAS, fused=fused
        )

    def step(self, step: int) -> float:
        """Applies the gradients as step `step` (from 0) and clears them. Returns their norm before clipping.

        A norm that is not finite changes nothing: the caller ends the run.
        """
        norm = float(nn.utils.clip_grad_norm_(self._parameters, _LARGEST_GRADIENT_NORM))
        if math.isfinite(norm):
            for group in self._adamw.param_groups:
                group["lr"] = learning_rate(self._task, step)
            self._adamw.step()
        self._adamw.zero_grad(set_to_none=True)
        return norm

    def state(self) -> dict[str, torch.Tensor]:
        """Moments and step counts, by `<parameter index>/<name>`."""
        return {
            f"{index}/{name}": value
            for index, parameter in enumerate(self._parameters)
            for name, value in self._adamw.state.get(parameter, {}).items()
        }

    def load_state(self, state: dict[str, torch.Tensor]) -> None:
        for key, value in state.items():
            index, name = key.split("/")
            # Cloned, so that the moments lie in memory of torch's own alignment, as in an undisturbed run.
            self._adamw.state[self._parameters[int(index)]][name] = value.clone()


def learning_rate(task: dict[str, Any], step: int) -> float:
    """10 % of the steps linearly up to the peak, then half a cosine down to 5 % of it at the last step."""
    steps, peak = task["steps"], task["learningRate"]
    warm_up = max(1, round(_WARM_UP_SHARE * steps))
    if step < warm_up:
        return peak * (step + 1) / warm_up
    progress = (step + 1 - warm_up) / max(1, steps - warm_up)
    return peak * (_FINAL_SHARE + (1 - _FINAL_SHARE) * 0.5 * (1 + math.cos(math.pi * progress)))

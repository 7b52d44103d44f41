"""The F1 recurrence as a loop over tokens: the definition that every faster form is compared with."""

from __future__ import annotations

import torch
from torch import Tensor

from asi_kernels.ops.f1.inputs import F1Inputs


def recurrence(inputs: F1Inputs) -> tuple[Tensor, Tensor]:
    """Outputs o [B, T, H, V] and the last state [B, H, K, V], in the precision of the inputs; differentiable by
    autograd.
    """
    state = inputs.first_state()
    outputs = []
    for t in range(inputs.q.shape[1]):
        state = _step(inputs, t, state)
        outputs.append(torch.einsum("bhk,bhkv->bhv", inputs.q[:, t], state))
    if not outputs:
        return inputs.x.new_zeros(inputs.x.shape), state
    return torch.stack(outputs, 1), state


def _step(inputs: F1Inputs, t: int, state: Tensor) -> Tensor:
    decayed = state
    if inputs.log_alpha is not None:
        alpha = inputs.log_alpha[:, t].exp()
        decayed = state * (alpha[..., None] if inputs.vector_decay else alpha[..., None, None])
    write = inputs.x[:, t]
    if inputs.e is not None:
        source = decayed if inputs.erase_time == "after-decay" else state
        write = write - torch.einsum("bhk,bhkv->bhv", inputs.e[:, t], source)
    return decayed + torch.einsum("bhk,bhv->bhkv", inputs.k[:, t], write)

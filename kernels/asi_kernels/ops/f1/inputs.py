"""Arguments of the F1 recurrence, checked once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor


@dataclass(frozen=True)
class F1Inputs:
    """Legend: B sequences, T tokens, H heads, K key channels, V value channels. T may be 0.

    Raises ValueError naming the tensor, its shape and the right one. Keys of an erasing write should have norm at most
    one: the transition's eigenvalue along k is 1 - e.k. Values of log_alpha must be finite and at most 0 (not checked:
    it would read every value).
    """

    q: Tensor
    """[B, T, H, K] queries."""
    k: Tensor
    """[B, T, H, K] write keys."""
    x: Tensor
    """[B, T, H, V] write values."""
    e: Tensor | None = None
    """[B, T, H, K] erase keys; None for an additive write."""
    log_alpha: Tensor | None = None
    """[B, T, H] one log-decay per head, [B, T, H, K] one per channel, or None for no decay."""
    initial_state: Tensor | None = None
    """[B, H, K, V]; None for zeros."""
    erase_time: Literal["after-decay", "before-decay"] = "after-decay"
    """Whether the erase reads the decayed state (Gated DeltaNet, KDA) or the one before the decay (Comba)."""

    def __post_init__(self) -> None:
        if self.q.ndim != 4:
            raise ValueError(f"q has shape {list(self.q.shape)}; it must be [B, T, H, K]")
        B, T, H, K = self.q.shape
        V = self.x.shape[-1]
        right = {
            "k": [[B, T, H, K]],
            "x": [[B, T, H, V]],
            "e": [[B, T, H, K]],
            "log_alpha": [[B, T, H], [B, T, H, K]],
            "initial_state": [[B, H, K, V]],
        }
        for name, shapes in right.items():
            tensor = getattr(self, name)
            if tensor is not None and list(tensor.shape) not in shapes:
                raise ValueError(f"{name} has shape {list(tensor.shape)}; it must be {' or '.join(map(str, shapes))}")
        if self.erase_time not in ("after-decay", "before-decay"):
            raise ValueError(f"erase_time is {self.erase_time!r}; it must be after-decay or before-decay")

    @property
    def vector_decay(self) -> bool:
        return self.log_alpha is not None and self.log_alpha.ndim == 4

    def first_state(self) -> Tensor:
        """The state before the first token, [B, H, K, V]."""
        if self.initial_state is not None:
            return self.initial_state
        B, _, H, K = self.q.shape
        return self.q.new_zeros(B, H, K, self.x.shape[-1])

    def to(self, dtype: torch.dtype) -> F1Inputs:
        """The same inputs in another precision."""
        names = ("q", "k", "x", "e", "log_alpha", "initial_state")
        moved = {name: None if getattr(self, name) is None else getattr(self, name).to(dtype) for name in names}
        return F1Inputs(**moved, erase_time=self.erase_time)

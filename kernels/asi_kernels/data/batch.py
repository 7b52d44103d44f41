"""One batch of any task: as numpy arrays for the judge, which runs without torch, and as tensors for training."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import torch

IGNORED = -100
"""Target of a position that is not scored; the value that torch's cross entropy leaves out."""


class Batch(NamedTuple):
    """inputs [B, T] int64; targets [B, T] int64: the token to predict at each position, or IGNORED."""

    inputs: torch.Tensor
    targets: torch.Tensor


class Sequences(NamedTuple):
    """inputs [B, T] int64; targets [B, T] int64: the token to predict at each position, or IGNORED."""

    inputs: np.ndarray
    targets: np.ndarray

    def batch(self) -> Batch:
        """The same numbers as tensors, in the same memory."""
        import torch

        return Batch(torch.from_numpy(self.inputs), torch.from_numpy(self.targets))

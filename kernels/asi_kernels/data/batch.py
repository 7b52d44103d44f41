"""One batch of any task."""

from __future__ import annotations

from typing import NamedTuple

import torch

IGNORED = -100
"""Target of a position that is not scored; the value that torch's cross entropy leaves out."""


class Batch(NamedTuple):
    """inputs [B, T] int64; targets [B, T] int64: the token to predict at each position, or IGNORED."""

    inputs: torch.Tensor
    targets: torch.Tensor

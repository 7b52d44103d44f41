"""Which side of the split a text is on, and the names of the two sides' files."""

from __future__ import annotations

TRAIN_NAME = "train.bin"
HELD_OUT_NAME = "heldout.bin"
_HELD_OUT_ONE_IN = 10


def is_held_out(digest: bytes) -> bool:
    """Whether a text with this SHA-256 is held out: one in ten is."""
    return int.from_bytes(digest, "big") % _HELD_OUT_ONE_IN == 0

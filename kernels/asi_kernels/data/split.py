"""Which part of the split a text belongs to, and the names of the parts' files."""

from __future__ import annotations

TRAIN_NAME = "train.bin"
SHARDS = ("search", "promotion", "champion")
"""Held-out parts, one a purpose: scores that guide the search, that confirm finalists, that crown a champion."""
_PARTS = 100
_PARTS_A_SHARD = 5


def shard_name(shard: str) -> str:
    """File name of a held-out part."""
    return f"{shard}.bin"


def shard_of(digest: bytes) -> str | None:
    """The held-out part of a text with this SHA-256, or None for training: five texts in a hundred go to each part."""
    part = int.from_bytes(digest, "big") % _PARTS // _PARTS_A_SHARD
    return SHARDS[part] if part < len(SHARDS) else None


def shard_of_held_out(digest: bytes) -> str:
    """The shard of a text that is held out whatever its digest says: a third each."""
    return SHARDS[int.from_bytes(digest, "big") % len(SHARDS)]

"""Random streams by name. Two candidates with one seed meet the same data in the same order; training and held-out
never share a stream.
"""

from __future__ import annotations

import zlib

import numpy as np

PURPOSES = ("train", "held-out")


def stream(seed: int, task: str, purpose: str, step: int = 0) -> np.random.Generator:
    """The generator of one step of one task of one purpose. Any step can be had without drawing those before it."""
    if purpose not in PURPOSES:
        raise ValueError(f"purpose is {purpose!r}; it must be one of {', '.join(PURPOSES)}")
    # The key of a numpy seed sequence: equal entropy with other spawn keys gives independent streams.
    key = (zlib.crc32(task.encode()), PURPOSES.index(purpose), step)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy=seed, spawn_key=key)))

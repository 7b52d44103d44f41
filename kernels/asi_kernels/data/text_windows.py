"""Windows of bytes from prepared text. N is the length of the text in bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .batch import Batch, Sequences
from .streams import stream


def open_text(folder: Path | str, name: str) -> np.ndarray:
    """Bytes [N] uint8 of one part of the split, mapped read-only. Raises OSError when it is not there."""
    return np.memmap(Path(folder) / name, dtype=np.uint8, mode="r")


def training_windows(text: np.ndarray, task: dict[str, Any], seed: int, step: int) -> Batch:
    """`batch` windows of `length` bytes at random places, fixed by (seed, step)."""
    starts = stream(seed, "bytes", "train", step).integers(0, _num_starts(text, task), size=task["batch"])
    return _windows(text, starts, task["length"]).batch()


def held_out_windows(text: np.ndarray, task: dict[str, Any], generator: np.random.Generator) -> Sequences:
    """`evalSequences` windows at places drawn without replacement; the generator is the judge's secret.

    No two overlap, or one would give away the continuation of another; a text too short for so many gives fewer.
    """
    size = task["length"] + 1
    _num_starts(text, task)
    first = int(generator.integers(0, min(size, len(text) - size + 1)))
    num_places = (len(text) - first) // size
    places = np.sort(generator.permutation(num_places)[: task["evalSequences"]])
    return _windows(text, first + size * places, task["length"])


def _num_starts(text: np.ndarray, task: dict[str, Any]) -> int:
    count = len(text) - task["length"]
    if count < 1:
        raise ValueError(
            f"the text has {len(text)} bytes; a window of length {task['length']} needs {task['length'] + 1}"
        )
    return count


def _windows(text: np.ndarray, starts: np.ndarray, length: int) -> Sequences:
    rows = text[starts[:, None] + np.arange(length + 1)].astype(np.int64)
    return Sequences(np.ascontiguousarray(rows[:, :-1]), np.ascontiguousarray(rows[:, 1:]))

"""Data of a task of a rung by its kind: training batches for the trainer, held-out sequences for the judge."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from . import recall, selective_copy, text_windows
from .batch import Batch, Sequences
from .split import TRAIN_NAME


def training_data(task: dict[str, Any], seed: int, text_folder: Path | str) -> Callable[[int], Batch]:
    """Batch by step, from 0. Reads the training part alone. Raises OSError when the prepared text is gone."""
    match task["kind"]:
        case "bytes":
            text = text_windows.open_text(text_folder, TRAIN_NAME)
            return lambda step: text_windows.training_windows(text, task, seed, step)
        case "recall":
            return lambda step: recall.training_batch(task, seed, step)
        case "copy":
            return lambda step: selective_copy.training_batch(task, seed, step)
    raise ValueError(f"task kind is {task['kind']!r}; it must be bytes, recall or copy")


def held_out_sequences(task: dict[str, Any], seed: int, text: np.ndarray, places: np.random.Generator) -> Sequences:
    """Every held-out sequence of a task.

    `seed` fixes generated tasks; `text` [N] uint8 is the shard, and `places` draws where windows are cut from it.
    """
    match task["kind"]:
        case "bytes":
            return text_windows.held_out_windows(text, task, places)
        case "recall":
            return recall.held_out_sequences(task, seed)
        case "copy":
            return selective_copy.held_out_sequences(task, seed)
    raise ValueError(f"task kind is {task['kind']!r}; it must be bytes, recall or copy")

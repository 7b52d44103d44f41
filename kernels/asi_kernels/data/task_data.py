"""Batches of a task of a rung by its kind: what the trainer and the scorer see of the data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import recall, selective_copy, text_windows
from .batch import Batch
from .split import HELD_OUT_NAME, TRAIN_NAME


def training_data(task: dict[str, Any], seed: int, text_folder: Path | str) -> Callable[[int], Batch]:
    """Batch by step, from 0. Reads the training split alone. Raises OSError when the prepared text is gone."""
    match task["kind"]:
        case "bytes":
            text = text_windows.open_text(text_folder, TRAIN_NAME)
            return lambda step: text_windows.training_windows(text, task, seed, step)
        case "recall":
            return lambda step: recall.training_batch(task, seed, step)
        case "copy":
            return lambda step: selective_copy.training_batch(task, seed, step)
    raise ValueError(f"task kind is {task['kind']!r}; it must be bytes, recall or copy")


def held_out_data(task: dict[str, Any], seed: int, text_folder: Path | str) -> Batch:
    """Every held-out sequence of a task as one batch, which the scorer cuts into pieces."""
    match task["kind"]:
        case "bytes":
            text = text_windows.open_text(text_folder, HELD_OUT_NAME)
            return text_windows.held_out_windows(text, task)
        case "recall":
            return recall.held_out_batch(task, seed)
        case "copy":
            return selective_copy.held_out_batch(task, seed)
    raise ValueError(f"task kind is {task['kind']!r}; it must be bytes, recall or copy")

"""Selective copying (MAD, arXiv 2403.17844; first in Mamba, arXiv 2312.00752): say scattered tokens again in order.

A sequence is a field of blanks with `tokens` symbols at random places, then a marker, then the symbols but the last.
From the marker on, the next symbol is to be predicted. Values: 0 is blank, 1 the marker, the rest are symbols.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .batch import IGNORED, Batch, Sequences
from .streams import stream

_BLANK, _MARKER, _FIRST_SYMBOL = 0, 1, 2


def training_batch(task: dict[str, Any], seed: int, step: int) -> Batch:
    """`batch` sequences of one step."""
    return _sequences(task, task["batch"], stream(seed, "copy", "train", step)).batch()


def held_out_sequences(task: dict[str, Any], seed: int) -> Sequences:
    """`evalSequences` sequences of a stream that training never draws from."""
    return _sequences(task, task["evalSequences"], stream(seed, "copy", "held-out"))


def _sequences(task: dict[str, Any], rows: int, generator: np.random.Generator) -> Sequences:
    length, count = task["length"], task["tokens"]
    field = length - count
    if field < count:
        raise ValueError(f"copying {count} tokens needs a length of {2 * count}; the task has {length}")
    symbols = generator.integers(_FIRST_SYMBOL, task["vocabulary"], size=(rows, count))
    places = np.sort(generator.permuted(np.tile(np.arange(field), (rows, 1)), axis=1)[:, :count], axis=1)
    inputs = np.full((rows, length), _BLANK, dtype=np.int64)
    np.put_along_axis(inputs, places, symbols, axis=1)
    inputs[:, field] = _MARKER
    inputs[:, field + 1 :] = symbols[:, :-1]
    targets = np.full((rows, length), IGNORED, dtype=np.int64)
    targets[:, field:] = symbols
    return Sequences(inputs, targets)

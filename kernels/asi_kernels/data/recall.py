"""Multi-query associative recall (Zoology, arXiv 2312.04927, section 3), with a curriculum over the number of pairs.

A sequence begins with P pairs key, value; then keys come again in random order, each followed by its value, until the
sequence is full. At a key that comes again the value is to be predicted; nothing else is scored. Keys are the lower
half of the vocabulary, values the upper half; a key has another value in each sequence, so nothing can be learnt by
heart.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .batch import IGNORED, Batch, Sequences
from .streams import stream

_EASY_SHARE = 0.3  # of the run, before the largest number of pairs comes in


def training_batch(task: dict[str, Any], seed: int, step: int) -> Batch:
    """`batch` sequences of one step. Each row draws its number of pairs from those open at this point of the run."""
    generator = stream(seed, "recall", "train", step)
    choices = open_pairs(task, step)
    return _sequences(task, generator.choice(choices, size=task["batch"]), generator).batch()


def held_out_sequences(task: dict[str, Any], seed: int) -> Sequences:
    """`evalSequences` sequences with the largest number of pairs, of a stream that training never draws from."""
    generator = stream(seed, "recall", "held-out")
    return _sequences(task, np.full(task["evalSequences"], max(task["pairs"])), generator)


def open_pairs(task: dict[str, Any], step: int) -> list[int]:
    """Numbers of pairs in use at a step: all but the largest for the first 30 % of the run, then all."""
    pairs = sorted(task["pairs"])
    easy = step < math.ceil(_EASY_SHARE * task["steps"])
    return pairs[:-1] if easy and len(pairs) > 1 else pairs


def _sequences(task: dict[str, Any], num_pairs: np.ndarray, generator: np.random.Generator) -> Sequences:
    """Rows of one batch; num_pairs [B]."""
    length, num_keys = task["length"], task["vocabulary"] // 2
    largest = int(num_pairs.max())
    if largest > num_keys or 2 * largest + 2 > length:
        raise ValueError(
            f"recall with {largest} pairs needs a vocabulary of {2 * largest} and a length of {2 * largest + 2};"
            f" the task has {task['vocabulary']} and {length}"
        )
    rows = len(num_pairs)
    keys = generator.permuted(np.tile(np.arange(num_keys), (rows, 1)), axis=1)[:, :largest]
    values = num_keys + generator.integers(0, task["vocabulary"] - num_keys, size=(rows, largest))
    num_slots = length // 2
    # Which pair stands in each slot: first each pair once, then rounds in which every pair of the row comes once.
    order = _rounds(num_pairs, num_slots, generator)
    inputs = np.zeros((rows, length), dtype=np.int64)
    inputs[:, 0 : 2 * num_slots : 2] = np.take_along_axis(keys, order, axis=1)
    inputs[:, 1 : 2 * num_slots : 2] = np.take_along_axis(values, order, axis=1)
    targets = np.full((rows, length), IGNORED, dtype=np.int64)
    asked = np.arange(num_slots)[None, :] >= num_pairs[:, None]
    targets[:, 0 : 2 * num_slots : 2] = np.where(asked, inputs[:, 1 : 2 * num_slots : 2], IGNORED)
    return Sequences(inputs, targets)


def _rounds(num_pairs: np.ndarray, num_slots: int, generator: np.random.Generator) -> np.ndarray:
    """Pair indices [B, num_slots]: shuffled rounds of each row's pairs, the first round in order."""
    slots = np.arange(num_slots)[None, :]
    turn, place = slots // num_pairs[:, None], slots % num_pairs[:, None]
    # Sorting by (round, noise) shuffles within rounds; the noise of the first round is its order.
    noise = np.where(turn == 0, place / num_slots, generator.random((len(num_pairs), num_slots)))
    return np.take_along_axis(place, np.argsort(turn + noise, axis=1, kind="stable"), axis=1)

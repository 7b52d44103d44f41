"""Which prefixes of which sequences are asked for: secret, equal for all candidates on one seed.

Everything drawn comes from HMAC-SHA256 of the judge's key over what is being scored, so that nobody without the key can
tell the cuts, and a second judge with the key draws the same ones.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from asi_kernels.data.batch import IGNORED, Sequences


@dataclass(frozen=True)
class Depth:
    """How much of one task is scored from prefixes, all snapshots together. The data bound both: a task has so many
    scored positions and rows.
    """

    cuts: int
    prefixes: int


# Prefixes are of each task: every rung has two tasks or more, so that 4,000 stand behind a confirmed trial. Rows are
# rounded, by less than half a call.
# A leak on a share e of positions is hit by K random cuts with probability 1 - (1 - e)^K: 3 % by 100 cuts and 1 % by
# 300 with 95 %. More cuts of fewer rows cost no more than fewer cuts of more rows, so even the search has 32.
DEPTHS = {
    "search": Depth(cuts=32, prefixes=256),
    "promotion": Depth(cuts=100, prefixes=2_048),
    "champion": Depth(cuts=300, prefixes=65_000),
}


@dataclass(frozen=True)
class Call:
    """One question: the last position of tokens [:, : cut + 1] of some rows, to the model of one snapshot."""

    snapshot: int
    cut: int
    rows: np.ndarray


def secret_stream(key: bytes, *names: object) -> np.random.Generator:
    """Random numbers that only a holder of the key can draw, by name."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(secret_number(key, *names))))


def secret_number(key: bytes, *names: object) -> int:
    """A number of 256 bits by name: HMAC-SHA256 of the names as JSON."""
    message = json.dumps(names, separators=(",", ":")).encode()
    return int.from_bytes(hmac.new(key, message, hashlib.sha256).digest(), "big")


def generated_seed(key: bytes, score_set: str, rung: str, task: dict[str, Any], seed: int) -> int:
    """Seed of a generated task's held-out sequences: public for the search, secret for every other set."""
    if score_set == "search":
        return seed
    return secret_number(key, "sequences", score_set, rung, task["kind"], seed) >> 193  # 63 bits


def window_stream(key: bytes, score_set: str, *names: object) -> np.random.Generator:
    """Places of windows of text, equal for all candidates on one seed: public for the search, so that another judge
    with the text scores the same ones; secret for every other set.
    """
    return secret_stream(b"" if score_set == "search" else key, "windows", score_set, *names)


def plan_calls(sequences: Sequences, num_snapshots: int, depth: Depth, stream: np.random.Generator) -> list[Call]:
    """Calls in the order in which they are asked: by rising cut, whatever the snapshot.

    A model that remembers what it was shown has then seen nothing beyond the cut of any row. Each snapshot has its own
    cuts, drawn without replacement from the scored positions, and equally many rows a call: every scored position of
    every row has the same chance, as the estimator asks.
    """
    positions = scored_positions(sequences)
    cuts = min(len(positions), max(2, math.ceil(depth.cuts / num_snapshots)))
    num_rows = max(1, min(len(sequences.inputs), round(depth.prefixes / (cuts * num_snapshots))))
    calls = []
    for snapshot in range(num_snapshots):
        for cut in stream.choice(positions, cuts, replace=False):
            rows = np.sort(stream.choice(len(sequences.inputs), num_rows, replace=False))
            calls.append(Call(snapshot, int(cut), rows))
    return sorted(calls, key=lambda call: (call.cut, call.snapshot))


def scored_positions(sequences: Sequences) -> np.ndarray:
    """Positions that are scored; the same in every row of the held-out sequences of every task."""
    scored = sequences.targets != IGNORED
    assert (scored == scored[:1]).all(), "every held-out row must score the same positions"
    return np.flatnonzero(scored[0])

"""The judge's own numerics. Shapes: N positions, V vocabulary."""

from __future__ import annotations

import numpy as np


def losses(logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Cross-entropy [N] float64 in nats of logits [N, V] float32 against targets [N].

    Normalised here, from all logits: log(sum(exp(l - max))) - (l[target] - max).
    """
    shifted = logits - logits.max(-1, keepdims=True)
    totals = np.exp(shifted).sum(-1, dtype=np.float64)
    return np.log(totals) - np.take_along_axis(shifted, targets[:, None], -1)[:, 0].astype(np.float64)


def is_right(logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Whether the target is the most probable value [N], as 0.0 and 1.0; the first of equals counts."""
    return (logits.argmax(-1) == targets).astype(np.float64)


def total_variation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Distance [N] between the distributions of two sets of logits [N, V]: 0 for the same, 1 for disjoint."""
    return 0.5 * np.abs(_probabilities(first) - _probabilities(second)).sum(-1)


def _probabilities(logits: np.ndarray) -> np.ndarray:
    weights = np.exp((logits - logits.max(-1, keepdims=True)).astype(np.float64))
    return weights / weights.sum(-1, keepdims=True)

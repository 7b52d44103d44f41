"""From losses of whole sequences and of some of their prefixes to one number and its doubt.

The difference estimator (Cochran, Sampling Techniques, 3rd ed. 1977, chapter 7): the mean over all positions of the
whole-sequence loss, which is cheap, plus the mean over sampled positions of (prefix loss - whole-sequence loss). It is
unbiased for the mean prefix loss as long as the whole-sequence losses do not depend on which positions are sampled;
that is why the two come from two processes that know nothing of each other. For a causal program every difference is a
rounding error, so the estimate has no sampling noise; for one that sees what comes later it falls back to what prefixes
say.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

_LARGEST_DISTANCE = 0.02
"""Total variation between two predictions of one position that rounding explains."""
_MOST_DISAGREEING_SHARE = 0.005
_FEWEST_DISAGREEING = 2
_LARGEST_GAP_NATS = 0.01
_LARGEST_GAP_ERRORS = 4.0


@dataclass(frozen=True)
class Estimate:
    """value = full + gap; standard_error is that of gap, with calls as the sampled clusters."""

    full: float
    gap: float
    standard_error: float

    @property
    def value(self) -> float:
        return self.full + self.gap


def estimate(full: float, gaps: np.ndarray) -> Estimate:
    """`full`: mean over all positions. gaps [C]: mean of (prefix - whole) of each call, all calls of one size."""
    error = float(gaps.std(ddof=1)) / math.sqrt(len(gaps)) if len(gaps) > 1 else 0.0
    return Estimate(full, float(gaps.mean()), error)


def disagreement(loss: Estimate, distances: np.ndarray) -> str | None:
    """Why predictions of prefixes and of whole sequences are not those of one causal program, or None.

    `loss` in nats; distances [M]: total variation between the two predictions of each sampled position. Rounding that
    depends on the length (FFT, blocked matrix products) stays far below these bounds; single flips of a hard router at
    a tie are allowed for.
    """
    num_apart = int((distances > _LARGEST_DISTANCE).sum())
    if num_apart > max(_FEWEST_DISAGREEING, _MOST_DISAGREEING_SHARE * len(distances)):
        return f"its predictions differ at {100 * num_apart / len(distances):.2g} % of the sampled positions"
    if abs(loss.gap) > max(_LARGEST_GAP_NATS, _LARGEST_GAP_ERRORS * loss.standard_error):
        return f"its losses differ by {loss.gap:.2g} nats a position"
    return None

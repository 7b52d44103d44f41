"""Complexity: how operations and bytes of a forward pass grow with the sequence.

Counted as PyTorch dispatches them, at three lengths that double. With work w the growth exponent is log2 w(4n)/w(2n):
1 for a recurrence or a window, up to 1.17 for an FFT or a scan by doubling, towards 2 for attention over the whole
sequence. Projections are linear and hide the beginning of a quadratic term, so its share is told too: with
w = a + b T + c T^2 the second difference w(4n) - 3 w(2n) + 2 w(n) is 6 c n^2, and nothing for a + b T.

A class attribute `quadratic = True` declares growth past T log T: then nothing is claimed and the figures are told.
Does not cover what begins beyond the longest length, nor Python's own work.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from .outcome import Outcome, failed, passed
from .subject import Subject, call
from .work_counter import WorkCounter, all_uncounted, count_work, uncounted_words

_SHORTEST, _LONGEST_SHORTEST = 128, 512
# T log T alone gives 1 + log2(9 / 8) = 1.17 from 256 to 512; softmax attention gives 1.7 at the sizes of the probes.
LIMIT = 1.2


@dataclass(frozen=True)
class _Growth:
    what: str
    layer_index: int
    work: tuple[float, float, float]  # at n, 2n and 4n
    counted: tuple[WorkCounter, ...]

    @property
    def exponent(self) -> float:
        return math.log2(max(1.0, self.work[2]) / max(1.0, self.work[1]))

    @property
    def quadratic_share(self) -> float:
        """Share of c T^2 in the work at the longest length, by the second difference."""
        one, two, four = self.work
        return (four - 3 * two + 2 * one) * 16 / 6 / max(1.0, four)


def complexity(subject: Subject) -> Outcome:
    lengths = _lengths(subject)
    growths = [growth for layer_index in subject.layer_indices for growth in _grow(subject, layer_index, lengths)]
    worst = max(growths, key=lambda growth: growth.exponent)
    uncounted = all_uncounted(work for growth in growths for work in growth.counted)
    if uncounted and getattr(subject.mixer_class, "quadratic", False) is not True:
        return failed(f"{uncounted_words(uncounted)}; its growth cannot be told")
    told = (
        f"{worst.what} grow with exponent {worst.exponent:.2f} over lengths {', '.join(map(str, lengths))} "
        f"(quadratic share {max(0.0, worst.quadratic_share):.0%} at {lengths[-1]}, layer {worst.layer_index})"
    )
    if getattr(subject.mixer_class, "quadratic", False) is True:
        return passed(f"declared quadratic, so no growth below is claimed; {told}", worst.exponent, None)
    if worst.exponent > LIMIT:
        return failed(
            f"{told}; work past T log T needs `quadratic = True` in the class, or a window, chunks or a state",
            worst.exponent,
            LIMIT,
        )
    return passed(told, worst.exponent, LIMIT)


def _lengths(subject: Subject) -> tuple[int, int, int]:
    """From the largest number of the text on: a chunk or a window looks quadratic until the sequence is longer."""
    largest = max((value for value in subject.thresholds if value <= _LONGEST_SHORTEST), default=0)
    shortest = _SHORTEST
    while shortest < largest:
        shortest *= 2
    return shortest, 2 * shortest, 4 * shortest


def _grow(subject: Subject, layer_index: int, lengths: tuple[int, int, int]) -> tuple[_Growth, _Growth]:
    mixer = subject.build(layer_index=layer_index, dtype=torch.float32).eval()
    counted = []
    for length in lengths:
        x = subject.inputs(1, length, seed=95, dtype=torch.float32)
        call_once = count_work(lambda x=x: call(mixer, x, seed=subject.seed))
        counted.append(call_once)
    operations = tuple(count.total for count in counted)
    allocated = tuple(float(count.bytes) for count in counted)
    return (
        _Growth("operations", layer_index, operations, tuple(counted)),
        _Growth("bytes", layer_index, allocated, tuple(counted)),
    )

"""Batch: a row's output depends on that row alone."""

from __future__ import annotations

import torch

from .outcome import Outcome, failed, passed
from .subject import Subject, evaluate, mode, relative_difference

_ROWS = 5
_LENGTH = 40
_STRENGTHS = (3.0, 0.1)  # of the mates: a rank or a maximum over rows shows on one side only
_ALONE = (0, 2)


def batch(subject: Subject) -> Outcome:
    """Batch mates replaced (bitwise equal); rows permuted and batch 1 against 5 (equal up to rounding)."""
    limit, worst, place = subject.noise_limit, 0.0, ""
    for layer_index in subject.layer_indices:
        mixer = subject.build(layer_index=layer_index)
        for training in (True, False):
            with mode(mixer, training):
                for name, size, bound in _comparisons(subject, mixer, training):
                    where = f"layer {layer_index}, {'train' if training else 'eval'} mode, seed {subject.seed}"
                    if size > bound:
                        return failed(f"{name} changes a row's output by {size:.2g} rms ({where})", size, bound)
                    if size > worst:
                        worst, place = size, f"; largest difference {size:.2g} when {name} ({where})"
    return passed(
        f"mates replaced, rows permuted, one row alone: a row's output stays{place}{subject.precision_note}",
        worst,
        limit,
    )


def _comparisons(subject: Subject, mixer: torch.nn.Module, training: bool) -> list[tuple[str, float, float]]:
    x = subject.inputs(_ROWS, _LENGTH, seed=21)
    y = evaluate(mixer, x, seed=5)
    found = []
    for strength in _STRENGTHS:
        mates = subject.inputs(_ROWS, _LENGTH, seed=22) * strength
        mates[1] = x[1]
        size = relative_difference(evaluate(mixer, mates, seed=5)[1], y[1])
        found.append((f"replacing batch mates by ones {strength:g} times as strong", size, 0.0))
    if subject.stochastic(training):
        return found  # other shapes draw other random numbers
    order = torch.tensor([3, 0, 4, 2, 1])
    found.append(
        ("permuting rows", relative_difference(evaluate(mixer, x[order], seed=5), y[order]), subject.noise_limit)
    )
    for row in _ALONE:
        size = relative_difference(evaluate(mixer, x[row : row + 1], seed=5)[0], y[row])
        found.append(("leaving a row alone", size, subject.noise_limit))
    return found

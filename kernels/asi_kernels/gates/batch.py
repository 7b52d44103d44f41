"""Batch: a row's output depends on that row alone."""

from __future__ import annotations

import torch

from .outcome import Outcome, failed, passed
from .subject import Subject, evaluate, mode, relative_difference

_ROWS = 5
_LENGTH = 40


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
    mates = subject.inputs(_ROWS, _LENGTH, seed=22) * 3.0
    mates[1] = x[1]
    found = [("replacing batch mates", relative_difference(evaluate(mixer, mates, seed=5)[1], y[1]), 0.0)]
    if subject.stochastic(training):
        return found  # other shapes draw other random numbers
    order = torch.tensor([3, 0, 4, 2, 1])
    found.append(
        ("permuting rows", relative_difference(evaluate(mixer, x[order], seed=5), y[order]), subject.noise_limit)
    )
    found.append(
        ("leaving a row alone", relative_difference(evaluate(mixer, x[2:3], seed=5)[0], y[2]), subject.noise_limit)
    )
    return found

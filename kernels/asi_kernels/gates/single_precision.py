"""Single precision: what the other gates find in float64 holds for float32, in which programs are trained and scored.

Without this a program could ask for the type of its input and behave in float64 alone. Two looks. Function: at the
lengths of the rung's tasks and the longest of the other gates, float32 outputs are those of float64 up to rounding, in
training with a graph and in evaluation without. Cause: in each row what comes after the position where they lie
farthest apart is replaced, and rows that are not compared are replaced whole; what stays must be bitwise equal, as in
the causality gate, transforms (FFT) aside. So a hard choice that rounding tips is no failure, since it comes from the
past, and a leak is one wherever it shows.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn

from .effort import Effort
from .mode_agreement import NoDropout
from .subject import Subject, call, cast, evaluate, mode

_COMPARED_ROWS = 8
_LONG_ROWS = 2
# Seeds of the inputs, of which two rows are Gaussian ones and tokens, as in the gate of finite outputs.
_CONTENT, _OTHER = 92, 97
# That of bfloat16: a program that forgets too little loses digits by the position, and what matters is whether another
# function is computed. The largest median over 47 honest programs, four seeds, is 2.4e-5.
LIMIT = 0.05
# Of the size of the output. The largest over the honest programs by FFT, at one seed: 1.8e-6.
_TRANSFORM_LIMIT = 1e-4
_DIVERGED = 1e6  # rms of outputs that no training goes on from


@dataclass(frozen=True)
class SinglePrecision:
    """`size`: the largest median over positions of the error by position. `problem` is empty where all is well, else
    `measured` is what broke `limit`.
    """

    size: float
    lengths: tuple[int, ...]
    num_replaced: int
    problem: str = ""
    measured: float | None = None
    limit: float | None = None


@dataclass(frozen=True)
class _Look:
    layer_index: int
    rows: int
    length: int
    training: bool

    def place(self, subject: Subject) -> str:
        words = "train" if self.training else "eval"
        size = f"{self.rows} rows of {self.length}"
        return f"layer {self.layer_index}, {size}, {words} mode, seed {subject.seed}"


def single_precision(subject: Subject, effort: Effort) -> SinglePrecision:
    """Raises CandidateError when a call in float32 fails."""
    limit = max(LIMIT, subject.noise_limit)
    worst, lengths, num_replaced = 0.0, set(), 0
    for layer_index in subject.layer_indices:
        narrow = subject.build(layer_index=layer_index, dtype=torch.float32)
        wide = cast(copy.deepcopy(narrow), torch.float64)
        for rows, length in _sizes(subject, effort, layer_index):
            lengths.add(length)
            x = subject.inputs(rows, length, seed=_CONTENT, dtype=torch.float32)
            # Rows, modes and cuts of float64 are the business of the other gates.
            with mode(wide, False):
                expected = evaluate(wide, x[:_COMPARED_ROWS].double(), seed=subject.seed)
            for training in (True, False):
                look = _Look(layer_index, rows, length, training)
                y = _outputs(subject, narrow, x, training)
                errors, scale = _errors(y, expected)
                changed, cuts = _replaced(subject, x, errors)
                num_replaced += len(cuts)
                again = _outputs(subject, narrow, changed, training)
                found = _leak(subject, look, (y, again), scale, cuts) or _mismatch(subject, look, errors, limit)
                worst = max(worst, errors.median().item())
                if found:
                    problem, measured, bound = found
                    return SinglePrecision(worst, tuple(sorted(lengths)), num_replaced, problem, measured, bound)
    return SinglePrecision(worst, tuple(sorted(lengths)), num_replaced)


def _sizes(subject: Subject, effort: Effort, layer_index: int) -> Iterator[tuple[int, int]]:
    """Rows and length. The first layer sees training batches as they are, since a program may leak from some number
    of rows on.
    """
    whole = layer_index == 0 and effort.thorough
    for rows, length in subject.shape.batches:
        yield (rows if whole else min(rows, _COMPARED_ROWS)), length
    if layer_index == 0:
        yield _LONG_ROWS, effort.longest


def _outputs(subject: Subject, mixer: nn.Module, x: torch.Tensor, training: bool) -> torch.Tensor:
    """As the trainer and the judge call it: with a graph and without. Dropout off, as its draws differ by type."""
    with mode(mixer, training), NoDropout(), torch.set_grad_enabled(training):
        return call(mixer, x, seed=subject.seed).detach()


def _errors(y: torch.Tensor, expected: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Errors [R, T] over their scale, and the scale [R, T]: the rms of the position's own outputs, so that one that
    answers with 1e14 hides no other; the median of all where that is larger, so that a quiet one is not held against
    nothing. Where both types diverge there is nothing to compare; whether they may is for the gate of finite outputs.
    """
    y = y[: len(expected)].double()
    own, own_narrow = (value.pow(2).mean(-1).sqrt() for value in (expected, y))
    scale = own.maximum(own.median()).clamp_min(torch.finfo(torch.float32).tiny)
    errors = (y - expected).pow(2).mean(-1).sqrt() / scale
    diverged = ~(own <= _DIVERGED) & ~(own_narrow <= _DIVERGED)
    errors = torch.where(diverged, 0.0, errors).nan_to_num(nan=torch.inf)
    return errors, torch.where(torch.isfinite(scale), scale, _DIVERGED)


def _replaced(subject: Subject, x: torch.Tensor, errors: torch.Tensor) -> tuple[torch.Tensor, list[int]]:
    """Other content but up to the position of the largest error in each compared row, and these positions."""
    changed = subject.inputs(*x.shape[:2], seed=_OTHER, dtype=torch.float32)
    positions = errors[:, : max(1, x.shape[1] - 1)].argmax(1).tolist()
    for row, position in enumerate(positions):
        changed[row, : position + 1] = x[row, : position + 1]
    return changed, positions


def _leak(
    subject: Subject, look: _Look, outputs: tuple[torch.Tensor, torch.Tensor], scale: torch.Tensor, cuts: list[int]
) -> tuple[str, float, float] | None:
    limit = max(_TRANSFORM_LIMIT, subject.noise_limit) if subject.work.transforms else 0.0
    y, again = outputs
    for row, position in enumerate(cuts):
        kept = slice(0, position + 1)
        before, after = y[row, kept].double(), again[row, kept].double()
        difference = (after - before).abs().amax(-1) / scale[row, kept]
        same = ((before == after) | (before.isnan() & after.isnan())).all(-1)  # infinity less infinity is no number
        difference = torch.where(same, 0.0, difference)
        size = difference.max().item()
        if not size <= limit:
            first = int((~(difference <= limit)).int().argmax())
            problem = (
                f"in float32 replacing the positions after {position} of row {row}, and other rows, changes its "
                f"outputs from position {first} on by up to {size:.2g} of their size ({look.place(subject)})"
            )
            return problem, size, limit
    return None


def _mismatch(subject: Subject, look: _Look, errors: torch.Tensor, limit: float) -> tuple[str, float, float] | None:
    size = errors.median().item()
    if size <= limit:
        return None
    row, position = divmod(int(errors.argmax()), errors.shape[1])
    problem = (
        f"in float32 half of the positions differ from float64 by {size:.2g} of their size or more, most at position "
        f"{position} of row {row}, by {errors.max().item():.2g} ({look.place(subject)}); compute the same in every "
        "type of the input, and what cancels or accumulates in a way that float32 can carry"
    )
    return problem, size, limit

"""Gradient: every parameter can learn (a gradient that is not zero for some input), no gradient is NaN or infinite,
and gradients are those of the forward pass.

The last refuses gradients that are made orthogonal, rescaled, clamped, or without a part that was detached: what they
gain is an optimiser's gain, and every architecture is trained by the same one here. It refuses a straight-through
estimator too, an honest wish that cannot be told from another optimiser. A hard choice (a sign, the largest eight, a
rounding) whose gradient is left to autograd passes: what it does where it tips is not held against it.
"""

from __future__ import annotations

import random
from typing import NamedTuple

import torch
from torch import nn

from ..finite_differences import Moved
from ..gradients import LIMIT, Finding, Mismatch, hold_against
from ..programs import RAISED_BY_PROGRAMS
from .outcome import CandidateError, Outcome, failed, not_applicable, passed
from .subject import Subject, call, describe

_ROWS = 2
# The first length reaches every parameter of most mixers; the last reaches the taps of long filters.
_LENGTHS = (24, 40, 80)
_INPUT = "x"
# More passes than in a trial, where one costs ten times as much; fewer where the input is a training batch.
_MOST_TOGETHER = 2
_MOST_PASSES = 96
_MOST_TOGETHER_IN_TRAINING = 4
_MOST_PASSES_IN_TRAINING = 24
_MOST_TOKENS = 2048  # of a training batch: rows are left out beyond that
_LEAST_CHANGE = 2e-6  # of the output, a random part of each number of it: well above the rounding of float32


def gradient(subject: Subject) -> Outcome:
    counted = 0
    for layer_index in subject.layer_indices:
        mixer = subject.build(layer_index=layer_index, training=True)
        silent = {name for name, parameter in mixer.named_parameters() if parameter.requires_grad}
        frozen = [name for name, parameter in mixer.named_parameters() if not parameter.requires_grad]
        if frozen:
            return failed(f"parameter {frozen[0]} has requires_grad off; make it a buffer or let it learn")
        if not silent:
            continue  # a layer may be without parameters
        counted += len(silent)
        for attempt, length in enumerate(_LENGTHS):
            found = _gradients(mixer, subject.inputs(_ROWS, length, seed=61 + attempt), seed=subject.seed)
            silent -= {name for name, value in found.items() if value is not None and bool((value != 0).any())}
            if not silent:
                break
        if silent:
            names = ", ".join(sorted(silent)[:5])
            return failed(
                f"no gradient reaches {names} (layer {layer_index}, lengths {', '.join(map(str, _LENGTHS))}, "
                f"randomised parameters, seed {subject.seed}); remove what is not used or connect it to the output",
                float(len(silent)),
                0.0,
            )
    if counted == 0:
        return not_applicable("the mixer has no parameters")
    broken = _broken_gradient(subject)
    if broken:
        return failed(broken)
    largest = 0.0
    num_jumped = num_unseen = 0
    for look in _looks(subject):
        finding = _held_against_output(subject, look)
        largest = max(largest, finding.share)
        if finding.mismatch:
            return failed(_words(finding.mismatch, subject, look), finding.mismatch.share, LIMIT)
        num_jumped, num_unseen = max(num_jumped, finding.num_jumped), max(num_unseen, finding.num_unseen)
    reached = f"a gradient reaches each of {counted} parameter tensors; gradients are finite in float32"
    if largest > LIMIT and not num_jumped:
        return passed(f"{reached} and explain the output's change along each tensor that was looked at alone")
    if largest > LIMIT:
        unseen = f"; up to {num_unseen} were left out, by lot" if num_unseen else ""
        return passed(
            f"{reached}; hard choices make the output jump for up to {num_jumped} tensors at a time, and of the others "
            f"they explain its change{unseen}"
        )
    return passed(f"{reached} and explain all but {largest:.1%} of the output's change", largest, LIMIT)


class _Look(NamedTuple):
    layer_index: int
    rows: int
    length: int
    most_together: int
    most_passes: int


def _looks(subject: Subject) -> list[_Look]:
    """Each layer at a probe's size; one, drawn by lot, at the size of each task's training batch, of as many of its
    rows as have 2,048 tokens: a program may send other gradients from some size on.
    """
    looks = [_Look(index, _ROWS, _LENGTHS[1], _MOST_TOGETHER, _MOST_PASSES) for index in subject.layer_indices]
    for place, (rows, length) in enumerate(subject.shape.batches):
        layer_index = random.Random(f"{subject.seed} {place}").choice(subject.layer_indices)
        rows = max(1, min(rows, _MOST_TOKENS // length))
        looks.append(_Look(layer_index, rows, length, _MOST_TOGETHER_IN_TRAINING, _MOST_PASSES_IN_TRAINING))
    return looks


def _words(mismatch: Mismatch, subject: Subject, look: _Look) -> str:
    of = "the input" if mismatch.name == _INPUT else mismatch.name
    return (
        f"the gradient of {of} is not that of the forward pass: moved along {mismatch.num_looks} directions it left "
        f"{mismatch.share:.0%} of the output's change unexplained (layer {look.layer_index}, "
        f"{look.rows} rows of {look.length}, float32, seed {subject.seed}); "
        "let autograd differentiate what forward computes: without straight-through estimators, and with no part "
        "detached, clamped or rescaled on the way back (a hard choice itself may stay)"
    )


def _held_against_output(subject: Subject, look: _Look) -> Finding:
    """The gradients of parameters and input of a layer, in the precision of training."""
    layer_index = look.layer_index
    mixer = subject.build(layer_index=layer_index, dtype=torch.float32, training=True)
    if not any(True for _ in mixer.parameters()):
        return Finding(0.0, None)
    seed = 91 + layer_index
    x = subject.inputs(look.rows, look.length, seed=seed, dtype=torch.float32).requires_grad_()
    buffers = [(buffer, buffer.clone()) for buffer in mixer.buffers()]
    weights = torch.randn(x.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)

    def output() -> torch.Tensor:
        with torch.no_grad():
            for buffer, first in buffers:
                buffer.copy_(first)
        # A copy: a mixer may change its input in place.
        return call(mixer, x.clone(), seed=subject.seed).double() * weights

    names, tensors = zip((_INPUT, x), *mixer.named_parameters(), strict=True)
    try:
        y = output()
        gradients = torch.autograd.grad(y.sum(), tensors, allow_unused=True)
    except RAISED_BY_PROGRAMS as error:
        raise CandidateError(f"backward of a {list(x.shape)} input raised {describe(error)}") from error
    for name, gradient in zip(names, gradients, strict=True):
        if gradient is not None and not torch.isfinite(gradient).all():
            where = f"layer {layer_index}, randomised parameters, float32, seed {subject.seed}"
            raise CandidateError(f"the gradient of {name} is not finite ({where})")
    return hold_against(
        [Moved(*each) for each in zip(names, tensors, gradients, strict=True)],
        lambda: output().sum().item(),
        least_change=_LEAST_CHANGE * y.detach().norm().item(),
        lot=random.Random(f"{subject.seed} {layer_index} {look.rows} {look.length}"),
        most_together=look.most_together,
        most_passes=look.most_passes,
    )


def _gradients(mixer: nn.Module, x: torch.Tensor, *, seed: int) -> dict[str, torch.Tensor | None]:
    y = call(mixer, x, seed=seed)
    if not y.requires_grad:
        raise CandidateError("the output carries no gradient at all; do not detach it or compute it under no_grad")
    weights = torch.randn(y.shape, generator=torch.Generator().manual_seed(seed), dtype=y.dtype)
    names, parameters = zip(*mixer.named_parameters(), strict=True)
    try:
        values = torch.autograd.grad((y * weights).sum(), parameters, allow_unused=True)
    except RAISED_BY_PROGRAMS as error:
        raise CandidateError(f"backward of a {list(x.shape)} input raised {describe(error)}") from error
    return dict(zip(names, values, strict=True))


def _broken_gradient(subject: Subject) -> str:
    """The first gradient that is not finite, in the precision and with the parameters that training begins with."""
    for layer_index in subject.layer_indices:
        mixer = subject.build(layer_index=layer_index, dtype=torch.float32, noise=0.0, training=True)
        if not any(True for _ in mixer.parameters()):
            continue
        normal = subject.inputs(_ROWS, 40, seed=71, dtype=torch.float32)
        for words, x in (
            ("normal", normal),
            ("constant", normal[:, :1].expand_as(normal).contiguous()),
            ("large (10 times normal)", 10 * normal),
        ):
            for name, value in _gradients(mixer, x, seed=subject.seed).items():
                if value is not None and not torch.isfinite(value).all():
                    where = f"layer {layer_index}, own initial parameters, seed {subject.seed}"
                    return f"the gradient of {name} is not finite for {words} input ({where})"
    return ""

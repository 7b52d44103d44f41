"""Precision: in float32 the mixer computes what it computes in float64 (single_precision.py), and in bfloat16 nearly
what it computes in float32 from the same rounded parameters.

For bfloat16 parameters and inputs are rounded first, so that the difference is the arithmetic's alone. A program with
operators that have no bfloat16 form (FFT), or that give no number in it (the exponential of a matrix, by which a weight
is kept orthogonal), runs in float32 under autocast instead, as trainers run it. One that raises there too fails, since
no trainer would get past its first step: such an operator must be given float32.

The size of an error is told position by position and their median is judged: rounding tips a hard choice (a router,
a maximum) at some positions in honest programs, where outputs are then far apart, and never at half of them.
"""

from __future__ import annotations

import copy

import torch
from torch import nn

from .effort import Effort
from .outcome import CandidateError, Outcome, failed, passed
from .single_precision import single_precision
from .subject import INPUT_KINDS, Subject, call, cast, evaluate

_LENGTH = 96
# Six times the largest median (0.008) over all baselines, honest fixtures and 40 drawn genomes.
LIMIT = 0.05
_REMEDY = (
    "This was with autocast to bfloat16 on, where linear layers and matrix products give bfloat16 whatever the input "
    "is (plain bfloat16 was tried before and did not work either). An operator that has no bfloat16 form must be given "
    "float32: v = v.to(torch.promote_types(v.dtype, torch.float32)) before it, for example before torch.complex, and "
    "the result cast to the type of the next layer's input"
)


def precision(subject: Subject, effort: Effort) -> Outcome:
    """Float32 first. It is told with the sizes that it was tried at; what is measured is bfloat16."""
    single, note = single_precision(subject, effort), f"; {effort.note}" if effort.note else ""
    if single.problem:
        return failed(f"{single.problem}{note}", single.measured, single.limit)
    outcome = _bfloat16(subject)
    if outcome.verdict != "pass":
        return outcome
    lengths = ", ".join(map(str, single.lengths))
    return passed(
        f"{outcome.evidence}; float32 at lengths {lengths}, train and eval, from float64 by {single.size:.2g}, and "
        f"nothing in it changes when what comes after it is replaced ({single.num_replaced} cuts){note}",
        outcome.measured,
        outcome.limit,
    )


def _bfloat16(subject: Subject) -> Outcome:
    """Median over positions of the error over channels, relative to the rms of all outputs; the worst layer, with
    randomised parameters.
    """
    worst, place = 0.0, ""
    for layer_index in subject.layer_indices:
        mixer = subject.build(layer_index=layer_index, dtype=torch.bfloat16, noise=subject.noise)
        wide = cast(copy.deepcopy(mixer), torch.float32)
        x = subject.inputs(len(INPUT_KINDS), _LENGTH, seed=81, dtype=torch.bfloat16)
        y, way = _narrow(mixer, wide, x, subject.seed)
        expected = evaluate(copy.deepcopy(wide), x.float(), seed=subject.seed)
        if not torch.isfinite(y).all():
            return failed(f"outputs {way} are not finite at layer {layer_index}")
        scale = expected.pow(2).mean().sqrt().item()
        size = (y - expected).pow(2).mean(-1).sqrt().median().item() / scale if scale > 0 else 0.0
        if size >= worst:
            worst, place = size, f"{way} at layer {layer_index}, length {_LENGTH}"
    if worst > LIMIT:
        return failed(
            f"outputs {place} differ from float32 by {worst:.2g} rms; compute what cancels or accumulates in float32",
            worst,
            LIMIT,
        )
    return passed(f"outputs {place} differ from float32 by {worst:.2g} rms", worst, LIMIT)


def _narrow(mixer: nn.Module, wide: nn.Module, x: torch.Tensor, seed: int) -> tuple[torch.Tensor, str]:
    """Outputs as float32, and the words for how they were computed."""
    try:
        y = evaluate(mixer, x, seed=seed).float()
    except CandidateError:
        y = None
    if y is not None and torch.isfinite(y).all():
        return y, "in bfloat16"
    try:
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            return call(wide, x.float(), seed=seed).float(), "under bfloat16 autocast"
    except CandidateError as error:
        raise CandidateError(f"{error}. {_REMEDY}") from error

"""Repeat: a forward pass is a function of its input, whatever was called before it, and in a copy too."""

from __future__ import annotations

import copy

import torch
from torch import nn

from ..programs import RAISED_BY_PROGRAMS
from .outcome import CandidateError, Outcome, failed, passed
from .subject import Subject, describe, evaluate, mode, relative_difference

_LENGTH = 40


def repeat(subject: Subject) -> Outcome:
    for layer_index in subject.layer_indices:
        for training in (True, False):
            mixer = subject.build(layer_index=layer_index)
            with mode(mixer, training):
                problem, size = _problem(subject, mixer, training)
            if problem:
                words = "train" if training else "eval"
                return failed(f"{problem}, by {size:.2g} rms (layer {layer_index}, {words} mode)", size, 0.0)
    return passed("same input twice, after other inputs and in a copy: bitwise equal", 0.0, 0.0)


def _problem(subject: Subject, mixer: nn.Module, training: bool) -> tuple[str, float]:
    """What differed and how far, or an empty string."""
    x, other = subject.inputs(2, _LENGTH, seed=51), subject.inputs(2, _LENGTH, seed=52)
    try:
        twin = copy.deepcopy(mixer)
    except RAISED_BY_PROGRAMS as error:
        raise CandidateError(f"copy.deepcopy of the mixer raised {describe(error)}") from error
    first = evaluate(mixer, x, seed=7)
    comparisons = [("the same input twice gives different outputs", evaluate(mixer, x, seed=7))]
    evaluate(mixer, other, seed=8)
    evaluate(mixer, other[:, : _LENGTH // 2], seed=8)
    comparisons.append(("after other inputs the same input gives different outputs", evaluate(mixer, x, seed=7)))
    comparisons.append(("a copy made before the first call gives different outputs", evaluate(twin, x, seed=7)))
    if not training:
        comparisons.append(("eval mode draws random numbers: outputs differ", evaluate(mixer, x, seed=1234)))
    for words, y in comparisons:
        if not torch.equal(y, first):
            return words, relative_difference(y, first)
    return "", 0.0

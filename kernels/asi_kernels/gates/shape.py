"""Shape: any batch and length, each dtype, each layer index, input left alone."""

from __future__ import annotations

from typing import Any

import torch

from ..programs import RAISED_BY_PROGRAMS
from ..train.layers.arena import BadDeclaration, declared_tensors, read_declaration
from .outcome import CandidateError, Outcome, failed, passed
from .subject import KEEP_TYPE, Subject, call_with_state, shape_of

_CASES = ((1, 1), (3, 1), (2, 2), (1, 15), (2, 16), (1, 17), (2, 32), (1, 33), (1, 63), (1, 64), (2, 65))


def shape(subject: Subject, rung: dict[str, Any]) -> Outcome:
    count = 0
    for layer_index in subject.layer_indices:
        mixer = subject.build(layer_index=layer_index, dtype=torch.float32)
        for rows, length in _CASES if layer_index == 0 else _CASES[:5]:
            x = subject.inputs(rows, length, seed=3, dtype=torch.float32)
            problem = _problem(mixer, x)
            if problem:
                return failed(f"layer {layer_index}: {problem}")
            count += 1
    double = subject.build()
    problem = _problem(double, subject.inputs(2, 33, seed=3))
    if problem:
        return failed(problem)
    held = _trainable_problem(subject)
    if held:
        return failed(held)
    own_size = _own_size_problem(subject, rung)
    if own_size:
        return failed(own_size)
    strided = subject.inputs(2, 66, seed=3, dtype=torch.float32)[:, ::2]
    problem = _problem(subject.build(dtype=torch.float32), strided)
    if problem:
        return failed(f"non-contiguous input: {problem}")
    layers = ", ".join(map(str, subject.layer_indices))
    return passed(
        f"{count + 3} forward passes, lengths 1 to 65, layers {layers}, float32 and float64: "
        "y has the shape, dtype and device of x"
    )


def _problem(mixer: torch.nn.Module, x: torch.Tensor) -> str:
    before = x.clone()
    with torch.no_grad():
        y, _ = call_with_state(mixer, x, None, seed=0)
    if y.dtype != x.dtype:
        return f"forward of {x.dtype} returned {y.dtype}; {KEEP_TYPE}"
    if y.device != x.device:
        return f"forward on {x.device} returned a tensor on {y.device}; the device must be kept"
    if not torch.equal(x, before):
        return f"forward of {shape_of(x)} changed its input in place"
    return ""


def _trainable_problem(subject: Subject) -> str:
    """Whether the trainer can hold the mixer's tensors, which it keeps apart from the program."""
    try:
        mixers = [subject.build(layer_index=0, dtype=torch.float32)]
        read_declaration([entry.to_json() for entry, _ in declared_tensors(mixers)], len(mixers))
    except BadDeclaration as error:
        return str(error)
    return ""


def _own_size_problem(subject: Subject, rung: dict[str, Any]) -> str:
    """Above the probes' width the rung's own size runs once."""
    if (rung["hidden"], rung["heads"]) == (subject.shape.hidden, subject.shape.heads):
        return ""
    try:
        mixer = subject.mixer_class(
            hidden_size=rung["hidden"], num_heads=rung["heads"], layer_index=0, num_layers=subject.shape.num_layers
        )
    except RAISED_BY_PROGRAMS as error:
        raise CandidateError(
            f"Mixer(hidden_size={rung['hidden']}, num_heads={rung['heads']}) raised {error}"
        ) from error
    return _problem(mixer, torch.randn(1, 2, rung["hidden"]))

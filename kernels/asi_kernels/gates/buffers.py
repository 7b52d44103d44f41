"""Buffers: a forward pass writes nothing into the module: no text in buffers or attributes, no counter.

A cache that depends on shapes alone (a mask, a rotation table) is allowed: what the module holds is compared after
two calls of one shape with different content, when such a cache is filled and a memory of content is not yet the
same.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from .outcome import Outcome, failed, passed
from .subject import Subject, call_with_state, evaluate, mode, relative_difference

_LENGTH = 40
_FAR_COUNT = 100_000


def buffers(subject: Subject) -> Outcome:
    held = 0
    for layer_index in subject.layer_indices:
        for training in (True, False):
            mixer = subject.build(layer_index=layer_index)
            with mode(mixer, training):
                problem = _problem(subject, mixer)
            if problem:
                words = "train" if training else "eval"
                return failed(f"{problem} (layer {layer_index}, {words} mode)", None, 0.0)
            held = max(held, len(_held_values(mixer)))
    return passed(f"{held} parameters, buffers and attributes are the same after calls with other content", 0.0, 0.0)


def _problem(subject: Subject, mixer: nn.Module) -> str:
    x, other = subject.inputs(2, _LENGTH, seed=51), subject.inputs(2, _LENGTH, seed=52)
    first = evaluate(mixer, x, seed=7)
    held = _held_values(mixer)
    evaluate(mixer, other, seed=8)
    moved = _first_difference(held, _held_values(mixer))
    if moved:
        return f"forward changes {moved}"
    with torch.no_grad():
        _, state = call_with_state(mixer, x[:, : _LENGTH // 2], None, seed=8)
        if state is not None:
            call_with_state(mixer, other[:, _LENGTH // 2 :], state, seed=8)
            evaluate(mixer, other, seed=8)  # fills a shape-keyed cache as it was
    moved = _first_difference(held, _held_values(mixer))
    if moved:
        return f"forward with a state changes {moved}"
    return _after_many_steps(mixer, x, first)


def _after_many_steps(mixer: nn.Module, x: torch.Tensor, first: torch.Tensor) -> str:
    """Integer buffers are set far ahead: a step counter that opens something later shows now."""
    counters = [
        (name, buffer) for name, buffer in mixer.named_buffers() if buffer.dim() == 0 and not buffer.is_floating_point()
    ]
    for name, buffer in counters:
        before = buffer.clone()
        buffer.fill_(1 if buffer.dtype == torch.bool else _FAR_COUNT)
        far = evaluate(mixer, x, seed=7)
        buffer.copy_(before)
        if not torch.equal(far, first):
            size = relative_difference(far, first)
            return f"the output depends on the counter {name}: set to {_FAR_COUNT:,} it differs by {size:.2g} rms"
    return ""


def _held_values(mixer: nn.Module) -> dict[str, Any]:
    """Parameters, buffers, and numbers and tensors among the attributes of every submodule, copied."""
    held: dict[str, Any] = {f"parameter {name}": value.detach().clone() for name, value in mixer.named_parameters()}
    held |= {f"buffer {name}": value.detach().clone() for name, value in mixer.named_buffers()}
    for path, module in mixer.named_modules():
        for name, value in vars(module).items():
            if not name.startswith(("_parameters", "_buffers", "_modules")):
                held |= {
                    f"attribute {path}.{name}".replace(" .", " "): found
                    for found in [_copied(value)]
                    if found is not None
                }
    return held


def _copied(value: object) -> object:
    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    if isinstance(value, (int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [_copied(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _copied(item) for key, item in value.items()}
    return None


def _first_difference(before: dict[str, Any], after: dict[str, Any]) -> str:
    for name in sorted({*before, *after}):
        if not _same(before.get(name), after.get(name)):
            return name
    return ""


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return one.shape == other.shape and torch.equal(torch.nan_to_num(one), torch.nan_to_num(other))
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    return type(one) is type(other) and one == other

"""What the file of a trial's snapshots must hold, as the gates counted it and as anyone can count it again from the
header alone. Needs no torch, so that the host can count without it.

An entry is (name, type as safetensors calls it, shape). A layout tells how many tensors and numbers one model has and
a hash over names, types and shapes: two models with one layout differ in nothing but their values. A complex element
is two numbers.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable
from typing import Any

Entry = tuple[str, str, list[int]]

# Bytes an element (huggingface.co/docs/safetensors), of the types that a model may have.
TYPE_BYTES = {
    "F64": 8,
    "F32": 4,
    "F16": 2,
    "BF16": 2,
    "C64": 8,
    "I64": 8,
    "I32": 4,
    "I16": 2,
    "I8": 1,
    "U8": 1,
    "BOOL": 1,
}
TYPES_OF_TORCH = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "bfloat16": "BF16",
    "complex64": "C64",
    "int64": "I64",
    "int32": "I32",
    "int16": "I16",
    "int8": "I8",
    "uint8": "U8",
    "bool": "BOOL",
}
# By the name that `type_name` gives; the format has none for the wider and the narrower one.
_COMPLEX_TYPES = frozenset({"C64", "complex128", "complex32"})
_BYTE_VOCABULARY = 256
_MIXER = "mixer."


def type_name(torch_type: object) -> str:
    """What safetensors calls a torch type; the type's own name where the format or the product has none for it."""
    name = str(torch_type).removeprefix("torch.")
    return TYPES_OF_TORCH.get(name, name)


def numbers_of(kind: str, shape: Iterable[int]) -> int:
    """Real numbers in a tensor of type `kind` (as `type_name` calls it): two for each complex element."""
    return math.prod(shape) * (2 if kind in _COMPLEX_TYPES else 1)


def entries_of_state(state: dict[str, Any]) -> list[Entry]:
    """Entries of a state dict of tensors: parameters and persistent buffers, each under every name that it has."""
    return [(name, type_name(value.dtype), list(value.shape)) for name, value in state.items()]


def ties_of_state(state: dict[str, Any]) -> dict[str, str]:
    """Second names in a state dict that keeps its tensors (`keep_vars=True`), each with the tensor's first name."""
    first_names: dict[int, str] = {}
    return {name: first for name, value in state.items() if (first := first_names.setdefault(id(value), name)) != name}


def layout_of(entries: Iterable[Entry], ties: dict[str, str] | None = None) -> dict[str, Any]:
    """The contract's modelLayout: number of tensors, of numbers, and the hash; what second names hold, where there are
    any: a file has no shared memory, so it holds a tied tensor by each of its names.
    """
    rows = sorted([name, kind, shape] for name, kind, shape in entries)
    text = json.dumps(rows, separators=(",", ":"))
    layout = {
        "tensors": len(rows),
        "numbers": sum(numbers_of(kind, shape) for _, kind, shape in rows),
        "hash": hashlib.sha256(text.encode()).hexdigest(),
    }
    if ties:
        layout["tied"] = {
            "names": dict(sorted(ties.items())),
            "numbers": sum(numbers_of(kind, shape) for name, kind, shape in rows if name in ties),
        }
    return layout


def own_numbers(layout: dict[str, Any]) -> int:
    """Numbers of a layout, each tensor counted once."""
    return layout["numbers"] - (layout["tied"]["numbers"] if "tied" in layout else 0)


def foreign_entry(
    entries: Iterable[Entry], *, rung: dict[str, Any], task: dict[str, Any], mlp_hidden: int
) -> str | None:
    """What does not belong to a model of this rung, in words; None where nothing is amiss.

    Everything around the mixers is fixed by the rung and the MLP width (models/language_model.py); of the rest every
    name must lie inside one of the mixers.
    """
    fixed = _fixed_part(rung, task, mlp_hidden)
    missing = dict(fixed)
    mixers = tuple(f"blocks.{layer}.{_MIXER}" for layer in range(task["layers"]))
    for name, kind, shape in entries:
        wanted = missing.pop(name, None)
        if wanted is None and not name.startswith(mixers):
            return f"{name!r} is no part of the model"
        if wanted is not None and (kind, shape) != ("F32", wanted):
            return f"{name!r} is {kind} {shape}; the rung has F32 {wanted}"
    return f"{min(missing)!r} is missing" if missing else None


def _fixed_part(rung: dict[str, Any], task: dict[str, Any], mlp_hidden: int) -> dict[str, list[int]]:
    hidden = rung["hidden"]
    vocabulary = _BYTE_VOCABULARY if task["kind"] == "bytes" else int(task["vocabulary"])
    shapes = {"embedding.weight": [vocabulary, hidden], "norm.weight": [hidden]}
    for layer in range(task["layers"]):
        shapes |= {
            f"blocks.{layer}.mixer_norm.weight": [hidden],
            f"blocks.{layer}.mlp_norm.weight": [hidden],
            f"blocks.{layer}.mlp.gate_up.weight": [2 * mlp_hidden, hidden],
            f"blocks.{layer}.mlp.down.weight": [hidden, mlp_hidden],
        }
    return shapes

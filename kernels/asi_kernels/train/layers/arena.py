"""The memory that a layer process shares with the process that it computes for, and what lies where in it.

Both compute the same places from the same facts: the largest x that there may be, and the tensors that the mixers
declare. The layer process may write anything anywhere in it at any time: the weights that count are kept elsewhere, and
what is read here are numbers that may be any.
Shapes: B sequences, T tokens, D hidden, float32.
"""

from __future__ import annotations

import math
import mmap
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from asi_kernels.snapshot_layout import TYPES_OF_TORCH

from .work import Work

_ALIGNMENT = 64
_TENSOR_BYTES = 512 << 20  # reserved, not used: pages are made when they are written
_MOST_TENSORS = 4_000
_LONGEST_NAME = 300
_MOST_NUMBERS = 1 << 40
# What a module takes for a name: anything without a dot, and no empty part between two.
_NAME = re.compile(r"[^.]+(\.[^.]+)*")
_TYPES: dict[str, torch.dtype] = {name: getattr(torch, name) for name in TYPES_OF_TORCH}


class BadDeclaration(Exception):
    """Tensors of a mixer that cannot be trained from outside. The message names the tensor and what would be right."""


@dataclass(frozen=True)
class Declared:
    """One tensor of the mixers. `same_as`: the place in the list of an earlier name of the same tensor."""

    layer: int
    name: str
    kind: str
    shape: tuple[int, ...]
    is_parameter: bool
    is_trained: bool
    same_as: int | None

    def to_json(self) -> dict[str, Any]:
        return {
            "layer": self.layer,
            "name": self.name,
            "kind": self.kind,
            "shape": list(self.shape),
            "isParameter": self.is_parameter,
            "isTrained": self.is_trained,
            "sameAs": self.same_as,
        }


def declared_tensors(mixers: list[nn.Module]) -> list[tuple[Declared, torch.Tensor]]:
    """Parameters and lasting buffers of every layer, by all of their names, in the order of a model's parameters.

    Raises BadDeclaration for what is no plain tensor in memory.
    """
    found: list[tuple[Declared, torch.Tensor]] = []
    seen: dict[int, int] = {}
    for layer, mixer in enumerate(mixers):
        for name, tensor, is_parameter in _named_tensors(mixer):
            if tensor.layout != torch.strided or tensor.is_quantized or tensor.device.type == "meta":
                raise BadDeclaration(
                    f"tensor {name!r} of layer {layer} is {tensor.layout} on {tensor.device}; it must be dense"
                )
            entry = Declared(
                layer=layer,
                name=name,
                kind=str(tensor.dtype).removeprefix("torch."),
                shape=tuple(tensor.shape),
                is_parameter=is_parameter,
                is_trained=is_parameter and tensor.requires_grad,
                same_as=seen.get(id(tensor)),
            )
            seen.setdefault(id(tensor), len(found))
            found.append((entry, tensor))
    return found


def _named_tensors(mixer: nn.Module) -> Iterator[tuple[str, torch.Tensor, bool]]:
    for prefix, module in mixer.named_modules(remove_duplicate=False):
        named = [(name, value, True) for name, value in module._parameters.items()]
        named += [
            (name, value, False)
            for name, value in module._buffers.items()
            if name not in module._non_persistent_buffers_set
        ]
        for name, tensor, is_parameter in named:
            if tensor is not None:
                yield f"{prefix}.{name}" if prefix else name, tensor, is_parameter


def read_declaration(content: Any, num_layers: int) -> list[Declared]:
    """What the layer process declared, checked. Raises BadDeclaration."""
    if not isinstance(content, list) or len(content) > _MOST_TENSORS:
        raise BadDeclaration(f"the mixers must declare a list of at most {_MOST_TENSORS:,} tensors")
    found: list[Declared] = []
    for entry in content:
        found.append(_read_entry(entry, found, num_layers))
    if len({(tensor.layer, tensor.name) for tensor in found}) != len(found):
        raise BadDeclaration("the mixers declare one name twice")
    return found


def _read_entry(entry: Any, before: list[Declared], num_layers: int) -> Declared:
    match entry:
        case {
            "layer": int(layer),
            "name": str(name),
            "kind": str(kind),
            "shape": list(shape),
            "isParameter": bool(is_parameter),
            "isTrained": bool(is_trained),
            "sameAs": same_as,
        } if len(entry) == 7:
            pass
        case _:
            raise BadDeclaration(f"a declared tensor has other fields than it must have: {entry!r:.200}")
    shown = f"tensor {name[:_LONGEST_NAME]!r} of layer {layer}"
    is_name = len(name) <= _LONGEST_NAME and name.isprintable() and _NAME.fullmatch(name) is not None
    if not 0 <= layer < num_layers or not is_name:
        raise BadDeclaration(f"{shown} has no name that a module can have, or no such layer")
    if kind not in _TYPES:
        raise BadDeclaration(f"{shown} is of type {kind[:40]!r}; it must be one of {', '.join(_TYPES)}")
    if len(shape) > 16 or not all(type(size) is int and 0 <= size < 1 << 32 for size in shape):
        raise BadDeclaration(f"{shown} has the shape {shape!r:.200}; it must be at most 16 sizes below 2^32")
    # Empty tensors too: torch counts the steps between elements that are not there.
    if math.prod(max(1, size) for size in shape) > _MOST_NUMBERS:
        raise BadDeclaration(f"{shown} has the shape {shape!r:.200}; it must have at most 2^40 numbers")
    if is_trained and not (_TYPES[kind].is_floating_point or _TYPES[kind].is_complex):
        raise BadDeclaration(f"{shown} is trained and of type {kind}; only numbers with a fraction are trained")
    declared = Declared(layer, name, kind, tuple(shape), is_parameter, is_trained and is_parameter, same_as)
    if same_as is not None:
        if type(same_as) is not int or not 0 <= same_as < len(before):
            raise BadDeclaration(f"{shown} is the same as number {same_as!r:.20}, which does not come before it")
        other = before[same_as]
        if other.same_as is not None or (other.kind, other.shape, other.is_trained) != (
            declared.kind,
            declared.shape,
            declared.is_trained,
        ):
            raise BadDeclaration(f"{shown} is said to be the tensor {other.name!r}, which is another")
    return declared


class Arena:
    """Shared memory for one task of a trial, to be made before its layer process is forked."""

    def __init__(self, hidden: int, work: Work) -> None:
        self._hidden = hidden
        self._work = work
        self._activation_bytes = _aligned(work.most_positions * hidden * torch.float32.itemsize)
        self._tensors_begin = 4 * work.layers_at_once * self._activation_bytes
        self._random_begin = self._tensors_begin + _TENSOR_BYTES
        random_bytes = torch.get_rng_state().numel()
        # Reserved as well: what is never written takes no memory.
        self._memory = mmap.mmap(-1, self._random_begin + _aligned(random_bytes))
        self._bytes = torch.frombuffer(self._memory, dtype=torch.uint8)
        self.random_state = self._bytes[self._random_begin : self._random_begin + random_bytes]
        self._seen: dict[tuple[int, int, int], Activations] = {}

    def keep_from_children(self) -> None:
        """Processes that are forked from now on do not have this memory: those of other tasks leave no word in it.

        Elsewhere than on Linux they have it, and a program that searches its process could find it.
        """
        if hasattr(mmap, "MADV_DONTFORK"):
            self._memory.madvise(mmap.MADV_DONTFORK)

    def activations(self, layer: int, rows: int, length: int) -> Activations:
        """Those of a layer for x [rows, length, D]; of all layers in turn where the work keeps those of one."""
        assert rows * length <= self._work.most_positions, f"x has {rows} rows of {length} tokens"
        place, shape = layer % self._work.layers_at_once, (rows, length, self._hidden)
        found = self._seen.get((place, rows, length))
        if found is None:
            begins = ((4 * place + index) * self._activation_bytes for index in range(4))
            found = Activations(*(self._view(begin, "float32", shape) for begin in begins))
            self._seen[place, rows, length] = found
        return found

    def tensors(self, declared: list[Declared]) -> list[torch.Tensor]:
        """A place for each declared tensor, names of one tensor sharing theirs. Raises BadDeclaration for too many."""
        places: list[torch.Tensor] = []
        begin = self._tensors_begin
        for tensor in declared:
            if tensor.same_as is not None:
                places.append(places[tensor.same_as])
                continue
            num_bytes = math.prod(tensor.shape) * _TYPES[tensor.kind].itemsize
            if begin + num_bytes > self._random_begin:
                raise BadDeclaration(
                    f"the mixers have more than {_TENSOR_BYTES >> 20} MB of tensors, up to {tensor.name!r} of layer "
                    f"{tensor.layer}; a mixer of a trial must be smaller"
                )
            places.append(self._view(begin, tensor.kind, tensor.shape))
            begin += _aligned(num_bytes)
        return places

    def _view(self, begin: int, kind: str, shape: tuple[int, ...]) -> torch.Tensor:
        dtype = _TYPES[kind]
        num_bytes = math.prod(shape) * dtype.itemsize
        return self._bytes[begin : begin + num_bytes].view(dtype).view(shape)


@dataclass(frozen=True)
class Activations:
    """Float32 [B, T, D] each: what goes into a mixer, what comes out, and the gradients of both."""

    x: torch.Tensor
    y: torch.Tensor
    grad_y: torch.Tensor
    grad_x: torch.Tensor


def _aligned(num_bytes: int) -> int:
    return -(-num_bytes // _ALIGNMENT) * _ALIGNMENT

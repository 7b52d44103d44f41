"""Takes in the snapshots that a trainer left: nothing of the file is trusted before its header fits the model.

Covers links, pipes, oversized files, wrong names, shapes and types, and values that are not finite. The format holds no
code, so reading it runs none.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from asi_kernels.snapshot_layout import type_name
from asi_kernels.train.candidate_edge import TrialFailed

# A header and alignment on top of the tensors themselves.
_HEADER_ALLOWANCE_BYTES = 16 << 20
_HEADER_BYTES_AN_ENTRY = 1 << 10
_HEADER_BYTES = 64 << 10

StateDict = dict[str, torch.Tensor]


def require_snapshots(path: Path, expected: dict[str, StateDict]) -> None:
    """Compares the file with `expected`: a state dict a prefix `<task>/<step>/`. Raises TrialFailed (bad_result)."""
    wanted = {f"{prefix}{name}": value for prefix, state in expected.items() for name, value in state.items()}
    size_limit = sum(value.nbytes for value in wanted.values()) + _HEADER_ALLOWANCE_BYTES
    _require_plain_file(path, size_limit)
    _require_small_header(path, len(wanted))
    try:
        with safe_open(path, framework="pt") as file:
            found = {name: _form(file.get_slice(name)) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (SafetensorError, KeyError) as error:
        raise TrialFailed("bad_result", f"the checkpoint is no safetensors file: {error}") from error
    if odd := sorted(set(found) ^ set(wanted)):
        verb = "lacks" if odd[0] in wanted else "has the unknown"
        raise TrialFailed("bad_result", f"the checkpoint {verb} {odd[0]!r} ({len(odd)} names differ from the model's)")
    for name, value in wanted.items():
        form = (list(value.shape), type_name(value.dtype))
        if found[name] != form:
            raise TrialFailed("bad_result", f"checkpoint entry {name!r} is {found[name]}; the model has {form}")


def read_snapshot(path: Path, prefix: str, names: Iterator[str] | list[str]) -> StateDict:
    """One snapshot of a file that require_snapshots has passed. Raises TrialFailed (nonfinite)."""
    state: dict[str, Any] = {}
    with safe_open(path, framework="pt") as file:
        for name in names:
            tensor = file.get_tensor(f"{prefix}{name}")
            if (tensor.is_floating_point() or tensor.is_complex()) and not torch.isfinite(tensor).all():
                raise TrialFailed("nonfinite", f"checkpoint entry {prefix + name!r} is not finite")
            state[name] = tensor
    return state


def _form(piece: Any) -> tuple[list[int], str]:
    return list(piece.get_shape()), piece.get_dtype()


def _require_small_header(path: Path, num_entries: int) -> None:
    """A header of a million made-up entries would be read whole before it could be compared."""
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
    limit = _HEADER_BYTES_AN_ENTRY * num_entries + _HEADER_BYTES
    if length > limit:
        raise TrialFailed(
            "bad_result",
            f"the safetensors header of the checkpoint has {length:,} bytes; {num_entries} entries need {limit:,}",
        )


def _require_plain_file(path: Path, size_limit: int) -> None:
    try:
        facts = os.lstat(path)
    except FileNotFoundError as error:
        raise TrialFailed("bad_result", f"the checkpoint {path.name} is not there") from error
    if not stat.S_ISREG(facts.st_mode) or facts.st_nlink > 1:
        raise TrialFailed("bad_result", f"the checkpoint {path.name} is no plain file")
    if facts.st_size > size_limit:
        raise TrialFailed(
            "bad_result", f"the checkpoint has {facts.st_size:,} bytes; the model needs {size_limit:,} at most"
        )

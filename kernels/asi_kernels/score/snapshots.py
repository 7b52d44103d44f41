"""Takes in the snapshots that a trainer left: nothing of the file is trusted before its header fits the model.

Covers links, pipes, oversized files, wrong names, shapes and types, and values that are not finite. The format holds no
code, so reading it runs none.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from asi_kernels.snapshot_layout import type_name
from asi_kernels.train.trial_failed import TrialFailed

# A header and alignment on top of the tensors themselves.
_HEADER_ALLOWANCE_BYTES = 16 << 20
_HEADER_BYTES_AN_ENTRY = 1 << 10
_HEADER_BYTES = 64 << 10

StateDict = dict[str, torch.Tensor]


class SnapshotFile:
    """The file of a trial's snapshots, opened once: what is asked for later is read from memory that maps it.

    Made before candidate code runs, since after that no file can be opened. What is wrong with the file is said by
    `require`, when the model is known: of a program that fails earlier, its own failure is told.
    """

    def __init__(self, path: Path, most_entries: int) -> None:
        self._size = 0
        self._problem = ""
        self._file: Any = None
        try:
            self._size = _size_of_plain_file(path)
            _require_small_header(path, most_entries)
            self._file = safe_open(path, framework="pt")
        except _Unusable as error:
            self._problem = str(error)
        except SafetensorError as error:
            self._problem = f"the checkpoint is no safetensors file: {error}"

    def require(self, expected: dict[str, StateDict]) -> None:
        """Compares with `expected`: a state dict a prefix `<task>/<step>/`. Raises TrialFailed (bad_result)."""
        wanted = {f"{prefix}{name}": value for prefix, state in expected.items() for name, value in state.items()}
        size_limit = sum(value.nbytes for value in wanted.values()) + _HEADER_ALLOWANCE_BYTES
        if self._size > size_limit:
            raise TrialFailed(
                "bad_result", f"the checkpoint has {self._size:,} bytes; the model needs {size_limit:,} at most"
            )
        if self._problem:
            raise TrialFailed("bad_result", self._problem)
        try:
            names = self._file.keys()
            found = {name: _form(self._file.get_slice(name)) for name in names}
        except (SafetensorError, KeyError) as error:
            raise TrialFailed("bad_result", f"the checkpoint is no safetensors file: {error}") from error
        if odd := sorted(set(found) ^ set(wanted)):
            verb = "lacks" if odd[0] in wanted else "has the unknown"
            raise TrialFailed(
                "bad_result", f"the checkpoint {verb} {odd[0]!r} ({len(odd)} names differ from the model's)"
            )
        for name, value in wanted.items():
            form = (list(value.shape), type_name(value.dtype))
            if found[name] != form:
                raise TrialFailed("bad_result", f"checkpoint entry {name!r} is {found[name]}; the model has {form}")

    def read(self, prefix: str, names: list[str]) -> StateDict:
        """One snapshot of a file that `require` has passed. Raises TrialFailed (nonfinite)."""
        state: StateDict = {}
        for name in names:
            tensor = self._file.get_tensor(f"{prefix}{name}")
            if (tensor.is_floating_point() or tensor.is_complex()) and not torch.isfinite(tensor).all():
                raise TrialFailed("nonfinite", f"checkpoint entry {prefix + name!r} is not finite")
            state[name] = tensor
        return state


class _Unusable(Exception):
    """The file cannot be the snapshots of a trial; the message says why."""


def _form(piece: Any) -> tuple[list[int], str]:
    return list(piece.get_shape()), piece.get_dtype()


def _require_small_header(path: Path, most_entries: int) -> None:
    """A header of a million made-up entries would be read whole before it could be compared."""
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
    limit = _HEADER_BYTES_AN_ENTRY * most_entries + _HEADER_BYTES
    if length > limit:
        raise _Unusable(
            f"the safetensors header of the checkpoint has {length:,} bytes; {most_entries:,} entries need {limit:,}"
        )


def _size_of_plain_file(path: Path) -> int:
    try:
        facts = os.lstat(path)
    except FileNotFoundError as error:
        raise _Unusable(f"the checkpoint {path.name} is not there") from error
    if not stat.S_ISREG(facts.st_mode) or facts.st_nlink > 1:
        raise _Unusable(f"the checkpoint {path.name} is no plain file")
    return facts.st_size

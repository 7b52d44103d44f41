"""Counts the model that a training job left, from the header of its snapshots, after the job is dead.

Covers links, pipes, files of another user, headers that are too long, malformed, doubled, overlapping or with gaps,
unknown types, snapshots that are missing or too many, a model that is larger, smaller or otherwise made than the one
that the gates counted, copies of one tensor that differ, and numbers that are not finite. Nothing of the candidate runs
here and nothing that it said is asked. Does not cover what the numbers are worth: that is for the judge.
"""

from __future__ import annotations

import math
import os
import stat
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from asi_kernels.requests import parse_json
from asi_kernels.snapshot_layout import TYPE_BYTES, Entry, foreign_entry, layout_of
from asi_kernels.snapshots import most_entries, snapshot_steps

from .refusal import Refusal

_LENGTH_BYTES = 8
_HEADER_BYTES = 64 << 10
_HEADER_BYTES_AN_ENTRY = 1 << 10
_READ_NUMBERS = 1 << 20
_NUMPY_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "C64": "<f4"}
_BFLOAT16_EXPONENT = 0x7F80


class _Tensor(NamedTuple):
    name: str
    kind: str
    shape: list[int]
    begin: int
    end: int


class _Unusable(Exception):
    """The file is no snapshots of a trial; the message says why."""


def refuse_snapshots(
    result: dict[str, Any], request: dict[str, Any], workdir: Path, owner: int | None
) -> Refusal | None:
    """None when the file that `result` (a trainResult) names holds the models of `request` (a trainRequest).

    Labels: bad_result for what is no such file, integrity for another model, nonfinite for its values.
    """
    if result["status"] != "trained" or result["checkpointPath"] is None:
        return None
    name = os.path.basename(result["checkpointPath"])
    if result["checkpointPath"] != str(workdir / name):
        named = repr(result["checkpointPath"])[:300]
        return Refusal("bad_result", f"the checkpoint {named} is not a plain file inside the trial's work folder")
    try:
        # Neither follows a link nor waits for a writer of a pipe.
        descriptor = os.open(workdir / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        return Refusal("bad_result", f"the checkpoint {name!r} cannot be opened as a plain file ({error.strerror})")
    try:
        _require_plain(descriptor, owner)
        tensors, data_begin = _read_header(descriptor, most_entries(request))
        found = _by_snapshot(tensors, request)
        return (
            _other_model(found, request)
            or _not_tied(descriptor, tensors, data_begin, request)
            or _not_finite(descriptor, tensors, data_begin)
        )
    except _Unusable as error:
        return Refusal("bad_result", f"the checkpoint {name!r}: {error}")
    finally:
        os.close(descriptor)


def _require_plain(descriptor: int, owner: int | None) -> None:
    facts = os.fstat(descriptor)
    if not stat.S_ISREG(facts.st_mode) or facts.st_nlink > 1:
        raise _Unusable("it is no plain file of its own")
    if owner is not None and facts.st_uid != owner:
        raise _Unusable(f"it belongs to user {facts.st_uid}, not to the job's, {owner}")


def _read_header(descriptor: int, most_entries: int) -> tuple[list[_Tensor], int]:
    """The tensors by place, and where in the file their bytes begin. The bytes are covered once and without gaps."""
    size = os.fstat(descriptor).st_size
    length = int.from_bytes(_read(descriptor, 0, _LENGTH_BYTES), "little")
    limit = _HEADER_BYTES + _HEADER_BYTES_AN_ENTRY * most_entries
    if size < _LENGTH_BYTES or length > min(limit, size - _LENGTH_BYTES):
        raise _Unusable(
            f"its header has {length:,} bytes; {most_entries:,} tensors need {limit:,} at most, the file has {size:,}"
        )
    try:
        header = parse_json(_read(descriptor, _LENGTH_BYTES, length))
    except (ValueError, RecursionError) as error:
        raise _Unusable(f"its header is not usable JSON ({error})") from error
    if not isinstance(header, dict) or len(header) > most_entries:
        raise _Unusable(f"its header must be an object of {most_entries:,} tensors at most")
    tensors = sorted((_tensor(name, entry) for name, entry in header.items()), key=lambda tensor: tensor[3:])
    place = 0
    for tensor in tensors:
        if tensor.begin != place:
            raise _Unusable(f"the bytes of {tensor.name!r} begin at {tensor.begin:,}; they must begin at {place:,}")
        place = tensor.end
    if place != size - _LENGTH_BYTES - length:
        raise _Unusable(f"its tensors have {place:,} bytes and {size - _LENGTH_BYTES - length:,} are there")
    return tensors, _LENGTH_BYTES + length


def _tensor(name: str, entry: Any) -> _Tensor:
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise _Unusable(f"entry {name!r} must have dtype, shape and data_offsets")
    kind, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(kind, str) or kind not in TYPE_BYTES:
        raise _Unusable(f"entry {name!r} is of type {kind!r:.40}; it must be one of {', '.join(TYPE_BYTES)}")
    if not (_is_counts(shape) and _is_counts(offsets) and len(offsets) == 2):
        raise _Unusable(f"entry {name!r} has a shape or offsets that are no lists of counts")
    wanted = math.prod(shape) * TYPE_BYTES[kind]
    if offsets[1] - offsets[0] != wanted:
        raise _Unusable(f"entry {name!r} has {offsets[1] - offsets[0]:,} bytes; {kind} {shape} needs {wanted:,}")
    return _Tensor(name, kind, shape, offsets[0], offsets[1])


def _is_counts(value: Any) -> bool:
    return isinstance(value, list) and all(type(number) is int and 0 <= number < 1 << 48 for number in value)


def _by_snapshot(tensors: list[_Tensor], request: dict[str, Any]) -> dict[tuple[str, int], list[Entry]]:
    """Entries by task and step; every snapshot of the rung is there and no other."""
    found: dict[tuple[str, int], list[Entry]] = {
        (task["kind"], step): [] for task in request["rung"]["tasks"] for step in snapshot_steps(task)
    }
    prefixes = {f"{kind}/{step}": (kind, step) for kind, step in found}
    for tensor in tensors:
        kind, _, rest = tensor.name.partition("/")
        step, _, name = rest.partition("/")
        snapshot = prefixes.get(f"{kind}/{step}")
        if snapshot is None or name == "":
            raise _Unusable(f"it has the unknown {tensor.name!r:.200}")
        found[snapshot].append((name, tensor.kind, tensor.shape))
    empty = next((snapshot for snapshot, entries in found.items() if not entries), None)
    if empty is not None:
        raise _Unusable(f"it lacks the snapshot of task {empty[0]} at step {empty[1]}")
    return found


def _other_model(found: dict[tuple[str, int], list[Entry]], request: dict[str, Any]) -> Refusal | None:
    """Whether one of the snapshots is of a model other than the gates counted."""
    # Records of older versions do not tell the layout.
    sizes = {size["task"]: size for size in request["sizes"] if "layout" in size}
    tasks = {task["kind"]: task for task in request["rung"]["tasks"]}
    for (kind, step), entries in found.items():
        if kind not in sizes:
            continue
        declared = sizes[kind]["layout"]
        tied = declared.get("tied", {"names": {}})["names"]
        counted = layout_of(entries, tied)
        why = foreign_entry(entries, rung=request["rung"], task=tasks[kind], mlp_hidden=sizes[kind]["mlpHidden"])
        if why is None and counted != declared:
            why = "names, types or shapes inside the mixers differ"
        if why is not None:
            return Refusal(
                "integrity",
                f"the snapshot of task {kind} at step {step} holds another model than the gates counted: "
                f"{counted['numbers']:,} numbers in {counted['tensors']} tensors against {declared['numbers']:,} in "
                f"{declared['tensors']}; {why}",
            )
    return None


def _not_tied(descriptor: int, tensors: list[_Tensor], data_begin: int, request: dict[str, Any]) -> Refusal | None:
    """Whether what the gates counted as one tensor of two names is two in the file. The entries are those that were
    declared.
    """
    places = {tensor.name: tensor for tensor in tensors}
    for size in request["sizes"]:
        task = next((task for task in request["rung"]["tasks"] if task["kind"] == size["task"]), None)
        tied = size.get("layout", {}).get("tied")
        if task is None or tied is None:
            continue
        for step in snapshot_steps(task):
            for name, first in tied["names"].items():
                pair = [places.get(f"{size['task']}/{step}/{one}") for one in (name, first)]
                # A first name that is a second one too would let a tensor vouch for itself.
                if first in tied["names"] or None in pair or not _are_equal(descriptor, pair, data_begin):
                    return Refusal(
                        "integrity",
                        f"the snapshot of task {size['task']} at step {step} holds two tensors as {name!r:.200} and "
                        f"{first!r:.200}, which the gates counted as one",
                    )
    return None


def _are_equal(descriptor: int, pair: list[_Tensor], data_begin: int) -> bool:
    one, other = pair
    if (one.kind, one.shape) != (other.kind, other.shape):
        return False
    for place in range(0, one.end - one.begin, _READ_NUMBERS):
        length = min(_READ_NUMBERS, one.end - one.begin - place)
        if _read(descriptor, data_begin + one.begin + place, length) != _read(
            descriptor, data_begin + other.begin + place, length
        ):
            return False
    return True


def _not_finite(descriptor: int, tensors: list[_Tensor], data_begin: int) -> Refusal | None:
    for tensor in tensors:
        for begin in range(tensor.begin, tensor.end, _READ_NUMBERS * TYPE_BYTES[tensor.kind]):
            end = min(tensor.end, begin + _READ_NUMBERS * TYPE_BYTES[tensor.kind])
            if not _is_finite(_read(descriptor, data_begin + begin, end - begin), tensor.kind):
                return Refusal("nonfinite", f"the checkpoint's entry {tensor.name!r} is not finite")
    return None


def _is_finite(content: bytes, kind: str) -> bool:
    if kind == "BF16":  # all bits of the exponent set: an infinity or no number
        bits = np.frombuffer(content, "<u2")
        return not ((bits & _BFLOAT16_EXPONENT) == _BFLOAT16_EXPONENT).any()
    return kind not in _NUMPY_TYPES or bool(np.isfinite(np.frombuffer(content, _NUMPY_TYPES[kind])).all())


def _read(descriptor: int, place: int, length: int) -> bytes:
    pieces = []
    while length > 0 and (piece := os.pread(descriptor, length, place)):
        pieces.append(piece)
        place, length = place + len(piece), length - len(piece)
    if length > 0:
        raise _Unusable("it ends before its tensors do")
    return b"".join(pieces)

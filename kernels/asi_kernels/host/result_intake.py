"""Reads the result that a job left, after the job is dead. Candidate code may have put anything in its place."""

from __future__ import annotations

import math
import os
import stat
from pathlib import Path
from typing import Any

from asi_kernels.requests import RESULT_NAME, parse_json, schema_problem
from asi_kernels.sandbox.canaries import CANARY_COMMAND

from .refusal import Refusal
from .snapshot_intake import refuse_snapshots

_LARGEST_RESULT_BYTES = 16 << 20
_DEEPEST = 12


def refuse_result(workdir: Path, command: str, request: Any, owner: int | None = None) -> Refusal | None:
    """None when result.json is a plain file of the user `owner` that fits the schema of the command's result.

    What a training left besides is counted against `request`, which the host read before the job began; None where
    that could not be read.
    """
    try:
        # Neither follows a link nor waits for a writer of a pipe.
        descriptor = os.open(workdir / RESULT_NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return Refusal("no_result", f"it ended with status 0 and left no {RESULT_NAME}")
    except OSError as error:
        return Refusal("bad_result", f"{RESULT_NAME} cannot be opened as a plain file ({error.strerror})")
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode) or facts.st_nlink > 1:
            return Refusal("bad_result", f"{RESULT_NAME} is no plain file of its own")
        if owner is not None and facts.st_uid != owner:
            return Refusal("bad_result", f"{RESULT_NAME} belongs to user {facts.st_uid}, not to the job's, {owner}")
        if facts.st_size > _LARGEST_RESULT_BYTES:
            return Refusal(
                "bad_result", f"{RESULT_NAME} has {facts.st_size:,} bytes; at most {_LARGEST_RESULT_BYTES:,} are read"
            )
        content = _read(descriptor, facts.st_size)
    finally:
        os.close(descriptor)
    try:
        value = parse_json(content)
        problem = _unsound(value)
        # A canary's findings are the host's own and cross no boundary.
        if problem is None and command != CANARY_COMMAND:
            problem = schema_problem(f"{command}-result", value)
    except (ValueError, RecursionError) as error:
        problem = f"it is not usable JSON ({error})"
    if problem is not None:
        return Refusal("bad_result", f"{RESULT_NAME}: {problem}")
    if command == "train" and request is not None:
        return refuse_snapshots(value, request, workdir, owner)
    return None


def _unsound(value: Any, depth: int = 1) -> str | None:
    """Nesting past the limit, or a number too large to be one (1e999 is read as infinite)."""
    if depth > _DEEPEST:
        return f"it nests deeper than {_DEEPEST} levels"
    if isinstance(value, float) and not math.isfinite(value):
        return "it holds a number that is not finite"
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((problem for each in inner if (problem := _unsound(each, depth + 1)) is not None), None)


def _read(descriptor: int, size: int) -> bytes:
    pieces = []
    while size > 0 and (piece := os.read(descriptor, size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)

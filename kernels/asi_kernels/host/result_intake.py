"""Reads the result that a job left, after the job is dead. Candidate code may have put anything in its place."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NamedTuple

from asi_kernels.requests import RESULT_NAME, parse_json, schema_problem

_LARGEST_RESULT_BYTES = 16 << 20


class Refusal(NamedTuple):
    """Why a result is not taken: label no_result or bad_result."""

    label: str
    detail: str


def refuse_result(workdir: Path, command: str) -> Refusal | None:
    """None when result.json is a plain file that fits the schema of the command's result."""
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
        if facts.st_size > _LARGEST_RESULT_BYTES:
            return Refusal(
                "bad_result", f"{RESULT_NAME} has {facts.st_size:,} bytes; at most {_LARGEST_RESULT_BYTES:,} are read"
            )
        content = _read(descriptor, facts.st_size)
    finally:
        os.close(descriptor)
    try:
        problem = schema_problem(f"{command}-result", parse_json(content))
    except (ValueError, RecursionError) as error:
        problem = f"it is not usable JSON ({error})"
    return None if problem is None else Refusal("bad_result", f"{RESULT_NAME}: {problem}")


def _read(descriptor: int, size: int) -> bytes:
    pieces = []
    while size > 0 and (piece := os.read(descriptor, size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)

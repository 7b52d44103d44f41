"""The commands of the package by name: each takes a checked request and returns a result as in the schemas."""

from __future__ import annotations

import enum
import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Report = Callable[[dict[str, Any] | None], None]
"""Takes a line of training progress, or None for: still at work, nothing to tell."""


class CandidateCode(enum.Enum):
    """Where a command imports the program of a candidate."""

    NOWHERE = "nowhere"
    BESIDE = "beside"  # in its own process, which is not believed then; it calls its last argument before that
    APART = "apart"  # in a process of its own; the command's fourth argument confines that


CloseFiles = Callable[[], None]
"""Closes to this process every file but those of programs. To be called when all else that a request names is open,
and before any code of a candidate runs.
"""


def leave_open() -> None:
    """Stands for CloseFiles where a caller guards the whole process, or needs no guard."""


@dataclass(frozen=True)
class Command:
    """module: holds `run`, the function behind the command."""

    module: str
    candidate_code: CandidateCode


COMMANDS = {
    "prepare": Command("asi_kernels.data.prepare", CandidateCode.NOWHERE),
    "check": Command("asi_kernels.gates.check", CandidateCode.BESIDE),
    "train": Command("asi_kernels.train.run", CandidateCode.APART),
    "answer": Command("asi_kernels.score.answer", CandidateCode.APART),
}


def load_command(command: str) -> Callable[..., dict[str, Any]]:
    """The function behind a command: of request, folder and report, and of what guards candidate code if there is any.
    Imports what it needs, torch included, so that a warm process may do it early.
    """
    function = importlib.import_module(COMMANDS[command].module).run
    if "report" not in inspect.signature(function).parameters:  # a command that has no progress to tell
        return lambda request, workdir, report, *guards: function(request, workdir, *guards)
    return function

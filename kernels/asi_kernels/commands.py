"""The commands of the package by name: each takes a checked request and returns a result as in the schemas."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

Report = Callable[[dict[str, Any] | None], None]
"""Takes a line of training progress, or None for: still at work, nothing to tell."""

_MODULES = {
    "prepare": "asi_kernels.data.prepare",
    "check": "asi_kernels.gates.check",
    "train": "asi_kernels.train.run",
    "answer": "asi_kernels.score.answer",
}
COMMANDS = tuple(_MODULES)
# Commands that import the program of a candidate.
RUNS_CANDIDATE_CODE = frozenset({"check", "train", "answer"})
# Of these, the one that does so in a process of its own, and takes as its fourth argument what confines that.
SEPARATES_CANDIDATE_CODE = "train"


def load_command(command: str) -> Callable[[dict[str, Any], Path, Report], dict[str, Any]]:
    """The function behind a command. Imports what it needs, torch included, so that a warm process may do it early."""
    function = importlib.import_module(_MODULES[command]).run
    if len(inspect.signature(function).parameters) == 2:  # a command that has no progress to report
        return lambda request, workdir, report: function(request, workdir)
    return function

"""What the wall is to let through for one job: the files that its request declares, and nothing else."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PACKAGE_FOLDER = str(Path(__file__).resolve().parents[2])
# Shown read-only in every root. A link is repeated as a link. Torch chooses its kernels by what it reads of the
# processors: without their folder the numbers themselves would change.
_SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/etc/ld.so.cache", "/sys/devices/system/cpu")
DEVICES = ("null", "zero", "full", "random", "urandom")


@dataclass(frozen=True)
class JobPlan:
    """Paths are absolute and the same inside as outside."""

    workdir: str
    """The one folder that the job may write to."""
    inputs: tuple[str, ...]
    """Files that it may read besides, by its request; they may lie in the work folder and are read-only even so."""


def plan_of(command: str, request_path: str, request: Any, workdir: Path) -> JobPlan:
    """The plan of a job by its command and request. A request that does not fit declares nothing."""
    named: list[Any] = [request_path]
    if isinstance(request, dict):
        named += [request.get("programPath"), request.get("referencePath") if command == "check" else None]
        if command == "answer":
            named.append(request.get("checkpointPath"))
        data = request.get("data")
        if command == "train" and isinstance(data, dict) and isinstance(data.get("folder"), str):
            named.append(os.path.join(data["folder"], "train.bin"))
    paths = (os.path.abspath(path) for path in named if isinstance(path, str))
    return JobPlan(str(workdir), tuple(dict.fromkeys(path for path in paths if os.path.isfile(path))))


def runtime_paths() -> list[str]:
    """Files and folders that Python, torch and this package need, in an order in which they can be mounted."""
    prefixes = {os.path.realpath(path) for path in (sys.prefix, sys.base_prefix, sys.exec_prefix)} | {sys.prefix}
    wanted = [*_SYSTEM, *sorted({*prefixes, PACKAGE_FOLDER}, key=len)]
    shown: list[str] = []
    for path in wanted:
        if os.path.lexists(path) and not any(path == other or path.startswith(other + "/") for other in shown):
            shown.append(path)
    return shown

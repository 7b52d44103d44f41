"""What the wall is to let through for one job: the files that its request declares, and nothing else."""

from __future__ import annotations

import glob
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from asi_kernels.held_out_library import hidden_paths, library_folder

PACKAGE_FOLDER = str(Path(__file__).resolve().parents[2])
# Shown read-only in every root. A link is repeated as a link. Torch chooses its kernels by what it reads of the
# processors: without their folder the numbers themselves would change.
_SYSTEM = ("/lib", "/lib32", "/lib64", "/bin", "/sbin", "/etc/ld.so.cache", "/sys/devices/system/cpu")
# Of /usr programs and shared libraries alone: elsewhere below it lie whole trees of other software, some with a copy
# of Python's library and so of the held-out text.
_OF_USR = ("/usr/bin", "/usr/sbin", "/usr/lib32", "/usr/lib64", "/usr/lib/gcc", "/usr/lib/locale", "/usr/include")
_LIBRARY_FOLDERS = "/usr/lib/*-linux-*"
_SHARED_PREFIXES = ("/usr", "/usr/local")
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
    wanted = [*_SYSTEM, *_OF_USR, *(sorted(glob.glob(_LIBRARY_FOLDERS)) or ["/usr/lib"]), *_interpreter_paths()]
    shown: list[str] = []
    for path in [*wanted, PACKAGE_FOLDER]:
        if os.path.lexists(path) and not any(path == other or path.startswith(other + "/") for other in shown):
            shown.append(path)
    return shown


def _interpreter_paths() -> list[str]:
    """Where this interpreter and its packages lie. Of a prefix that it shares with other software, its own part."""
    prefixes = {os.path.realpath(path) for path in (sys.prefix, sys.base_prefix, sys.exec_prefix)} | {sys.prefix}
    paths: set[str] = set()
    for prefix in prefixes:
        if prefix in _SHARED_PREFIXES:
            paths |= {f"{prefix}/bin", str(library_folder()), *glob.glob(f"{prefix}/lib/libpython3*")}
        else:
            paths.add(prefix)
    return sorted(paths, key=len)


class RuntimeRights(NamedTuple):
    """What of the runtime's paths may be read where no mount can hide what is below them.

    readable: files and folders with all that is below; listed: folders that hold something hidden, for their names.
    """

    readable: list[str]
    listed: list[str]


def runtime_rights() -> RuntimeRights:
    """Everything of runtime_paths() but hidden_paths(). A right through a link is one on its target, so that links give
    none: what is needed of a target is named by its own path, and /lib leads to all of /usr/lib on most systems.
    """
    hidden = hidden_paths()
    readable: list[str] = []
    listed: list[str] = []
    roots = {os.path.realpath(path) for path in runtime_paths() if not os.path.islink(path)}
    queue = sorted(root for root in roots if not any(root.startswith(other + "/") for other in roots))
    while queue:
        path = queue.pop()
        if path in hidden:
            continue
        if not any(other.startswith(path + "/") for other in hidden):
            readable.append(path)
            continue
        listed.append(path)
        with os.scandir(path) as entries:
            # A link gives no right: what it leads to has its own, or none.
            queue += [entry.path for entry in entries if not entry.is_symlink()]
    return RuntimeRights(readable, listed)

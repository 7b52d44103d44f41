"""Limits of a whole process tree by cgroups: version 2, version 1, or version 1 with a version 2 folder to kill by.

The launcher makes one folder a slot in every hierarchy; the host makes one below it for each job. Where that is not
possible (no right to write, a controller that is missing) there are none, and the sandbox is a tier weaker.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

_TOP = "asi-arch"
_PATIENCE_SECONDS = 2.0


@dataclass(frozen=True)
class Hierarchies:
    """Folders of one slot. version 1: memory and pids, and kill where a version 2 tree is mounted beside them."""

    version: Literal["v1", "v2"]
    memory: str
    pids: str
    kill: str | None

    def folders(self) -> list[str]:
        return list(dict.fromkeys(folder for folder in (self.memory, self.pids, self.kill) if folder is not None))

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def mounted_hierarchies() -> dict[str, str]:
    """Mount points by controller, "unified" for version 2."""
    found: dict[str, str] = {}
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/mounts").read_text().splitlines():
            _, point, kind, options, *_ = line.split(" ")
            if kind == "cgroup2":
                found.setdefault("unified", point)
            elif kind == "cgroup":
                for controller in options.split(","):
                    found.setdefault(controller, point)
    return found


def make_slot_folders(slot: str) -> Hierarchies | None:
    """Folders for a slot in the hierarchies of this machine; None where limits cannot be set there."""
    points = mounted_hierarchies()
    try:
        if "memory" in points and "pids" in points:
            kill = None
            if "unified" in points:
                kill = _make(points["unified"], slot)
                if not os.path.exists(f"{kill}/cgroup.kill"):
                    kill = None
            return Hierarchies("v1", _make(points["memory"], slot), _make(points["pids"], slot), kill)
        if "unified" in points:
            for folder in (points["unified"], f"{points['unified']}/{_TOP}", f"{points['unified']}/{_TOP}/{slot}"):
                os.makedirs(folder, exist_ok=True)
                Path(folder, "cgroup.subtree_control").write_text("+memory +pids")
            folder = f"{points['unified']}/{_TOP}/{slot}"
            return Hierarchies("v2", folder, folder, folder)
    except OSError:
        return None
    return None


def slot_folders() -> Iterator[tuple[str, str]]:
    """(slot, folder) of everything that launchers have made on this machine, over all hierarchies."""
    for point in dict.fromkeys(mounted_hierarchies().values()):
        with contextlib.suppress(OSError):
            for name in os.listdir(f"{point}/{_TOP}"):
                if os.path.isdir(f"{point}/{_TOP}/{name}"):
                    yield name, f"{point}/{_TOP}/{name}"


def remove_tree(folder: str) -> None:
    """Kills every process below a cgroup folder and removes the folders. What cannot be removed in time stays."""
    for place, _, _ in os.walk(folder, topdown=False):
        kill_members(place)
        _remove(place)


def kill_members(folder: str) -> None:
    """SIGKILL to every member of one cgroup, again until none is left or two seconds have passed."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while members := _members(folder):
        with contextlib.suppress(OSError):
            Path(folder, "cgroup.kill").write_text("1")
        for pid in members:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, 9)
        if time.monotonic() > deadline:
            return
        time.sleep(0.002)


class JobGroup:
    """The cgroup of one job. Raises OSError when it cannot be made."""

    def __init__(self, hierarchies: Hierarchies, name: str, *, memory_bytes: int, num_processes: int) -> None:
        self._version = hierarchies.version
        self._memory = f"{hierarchies.memory}/{name}"
        self._pids = f"{hierarchies.pids}/{name}"
        self._folders = [f"{folder}/{name}" for folder in hierarchies.folders()]
        for folder in self._folders:
            os.makedirs(folder, exist_ok=True)
        if self._version == "v1":
            Path(self._memory, "memory.limit_in_bytes").write_text(str(memory_bytes))
        else:
            Path(self._memory, "memory.max").write_text(str(memory_bytes))
            Path(self._memory, "memory.oom.group").write_text("1")
            with contextlib.suppress(OSError):  # a kernel without swap accounting has no such file
                Path(self._memory, "memory.swap.max").write_text("0")
        Path(self._pids, "pids.max").write_text(str(num_processes))
        self.memory_bytes = memory_bytes
        self.num_processes = num_processes

    def add(self, pid: int) -> None:
        for folder in self._folders:
            Path(folder, "cgroup.procs").write_text(str(pid))

    def num_oom_kills(self) -> int:
        """How many processes of the job the kernel has ended because the job was at its memory limit."""
        name = "memory.oom_control" if self._version == "v1" else "memory.events"
        return _counter(f"{self._memory}/{name}", "oom_kill")

    def num_refused_forks(self) -> int:
        """How often a fork or thread of the job was refused because of its limit."""
        return _counter(f"{self._pids}/pids.events", "max")

    def peak_bytes(self) -> int:
        name = "memory.max_usage_in_bytes" if self._version == "v1" else "memory.peak"
        try:
            return int(Path(self._memory, name).read_text())
        except (OSError, ValueError):
            return 0

    def close(self) -> None:
        """Kills what is left and removes the folders."""
        for folder in self._folders:
            kill_members(folder)
        for folder in self._folders:
            _remove(folder)


def _make(point: str, slot: str) -> str:
    folder = f"{point}/{_TOP}/{slot}"
    os.makedirs(folder, exist_ok=True)
    return folder


def _members(folder: str) -> list[int]:
    try:
        return [int(line) for line in Path(folder, "cgroup.procs").read_text().split()]
    except OSError:
        return []


def _remove(folder: str) -> None:
    # A member that was killed holds its cgroup until it is taken off by the kernel.
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            os.rmdir(folder)
            return
        except FileNotFoundError:
            return
        except OSError:
            if time.monotonic() > deadline:
                return
            time.sleep(0.002)


def _counter(path: str, name: str) -> int:
    with contextlib.suppress(OSError):
        for line in Path(path).read_text().splitlines():
            key, _, count = line.partition(" ")
            if key == name:
                return int(count)
    return 0

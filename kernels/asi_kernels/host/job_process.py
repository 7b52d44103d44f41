"""The processes of one job as the host holds them: started behind the wall, counted, killed, reaped."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import signal
import sys
import time
from dataclasses import dataclass, field, replace

from asi_kernels.sandbox import kernel_calls as kernel
from asi_kernels.sandbox.cgroups import Hierarchies, JobGroup
from asi_kernels.sandbox.wall import NUM_PROCESSES, WallKind

from .child import ChildJob, run_child
from .first_process import GO, READY, run_first
from .process_tree import descendants, kill_group, usage_of

_READY_SECONDS = 20.0
_TREE_SCAN_SECONDS = 0.5
# ru_maxrss is in kilobytes on Linux and in bytes on macOS.
_MAXRSS_UNIT_BYTES = 1024 if sys.platform == "linux" else 1
_MOST_STATUS_BYTES = 4096


@dataclass(frozen=True)
class HostWall:
    """What every job of this host gets. pid_namespace is an open descriptor of the host's own."""

    kind: WallKind
    hierarchies: Hierarchies | None = None
    pid_namespace: int | None = field(
        default_factory=lambda: (
            os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC) if os.path.exists("/proc/self/ns/pid") else None
        )
    )

    def lowered(self, kind: WallKind) -> HostWall:
        return replace(self, kind=kind, hierarchies=self.hierarchies if kind.tier == "S2" else None)


class JobProcess:
    """Starts when made. Raises OSError when the machine cannot give it a process, or the wall could not be built."""

    def __init__(self, child: ChildJob, wall: HostWall, *, name: str, memory_bytes: int) -> None:
        self._walled = wall.kind.has_namespaces
        self._others: list[int] = []
        self._last_scan = 0.0
        self._report = b""
        self._status_descriptor: int | None = None
        self.wait_status: int | None = None
        self.cpu_seconds = 0.0
        self.peak_bytes = 0
        self.full_folders: list[str] = []
        self._group = None
        if wall.hierarchies is not None:
            self._group = JobGroup(wall.hierarchies, name, memory_bytes=memory_bytes, num_processes=NUM_PROCESSES)
        try:
            self.pid = self._start_walled(child, wall) if self._walled else _start_plain(child)
        except OSError:
            if self._group is not None:
                self._group.close()
            raise

    @property
    def group(self) -> JobGroup | None:
        return self._group

    def poll(self) -> bool:
        """Whether the job's own process is dead; it is reaped then, and everything of a walled job is dead with it."""
        if self.wait_status is not None:
            return True
        pid, status, usage = os.wait4(self.pid, os.WNOHANG)
        if pid == 0:
            return False
        self.cpu_seconds = max(self.cpu_seconds, usage.ru_utime + usage.ru_stime)
        self.peak_bytes = max(self.peak_bytes, usage.ru_maxrss * _MAXRSS_UNIT_BYTES)
        self.wait_status = self._reported_status(status) if self._walled else status
        return True

    def kill(self) -> None:
        """SIGKILL to everything of the job. Once it is reaped its number may belong to another process."""
        if self.wait_status is None:
            kill_group(self.pid)

    def usage(self, now: float) -> tuple[int, int]:
        """Resident memory in bytes and number of threads of the whole tree now."""
        if now - self._last_scan > _TREE_SCAN_SECONDS:
            self._others, self._last_scan = descendants(self.pid), now
        # The first process of a walled job is ours and shares its memory with the host.
        counted = self._others if self._walled else [self.pid, *self._others]
        used = [usage_of(pid) for pid in counted]
        # Every process was forked from this one and shares as much with it; what the job's own one has counts in full.
        shared_bytes = usage_of(os.getpid()).memory_bytes
        memory_bytes = sum(
            each.memory_bytes if place == 0 else max(0, each.memory_bytes - shared_bytes)
            for place, each in enumerate(used)
        )
        self.peak_bytes = max(self.peak_bytes, memory_bytes)
        # A process that is killed before its parent has waited for it is in nobody's account.
        self.cpu_seconds = max(self.cpu_seconds, sum(each.cpu_seconds for each in used))
        return memory_bytes, sum(each.num_threads for each in used)

    def close(self) -> None:
        """After poll was true: removes the cgroup and closes the pipe."""
        if self._group is not None:
            self.peak_bytes = max(self.peak_bytes, self._group.peak_bytes())
            self._group.close()
            self._group = None
        if self._status_descriptor is not None:
            os.close(self._status_descriptor)
            self._status_descriptor = None

    def _start_walled(self, child: ChildJob, wall: HostWall) -> int:
        status_reader, status_writer = os.pipe()
        go_reader, go_writer = os.pipe()
        try:
            pid = _fork_into_namespace(wall)
            if pid == 0:
                os.close(status_reader)
                os.close(go_writer)
                run_first(child, status_writer, go_reader)
            os.close(status_writer)
            os.close(go_reader)
            status_writer = go_reader = -1
            self._status_descriptor = status_reader
            try:
                if self._group is not None:
                    self._group.add(pid)
                self._await_ready(status_reader)
                os.write(go_writer, GO)
            except OSError:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                raise
        except OSError:
            self._status_descriptor = None
            for descriptor in (status_reader, status_writer, go_reader):
                if descriptor >= 0:
                    os.close(descriptor)
            raise
        finally:
            os.close(go_writer)
        os.set_blocking(status_reader, False)
        return pid

    def _await_ready(self, descriptor: int) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        said = b""
        while not said.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                raise OSError(errno.ETIMEDOUT, f"the wall was not ready within {_READY_SECONDS:g} s")
            piece = os.read(descriptor, _MOST_STATUS_BYTES)
            if not piece:
                break
            said += piece
        if said != READY:
            raise OSError(errno.EPERM, f"the wall could not be built: {said.decode(errors='replace').strip()}")

    def _reported_status(self, own_status: int) -> int:
        """The child's wait status as the first process told it; its own where it could not tell."""
        assert self._status_descriptor is not None, "a walled job has a status pipe"
        with contextlib.suppress(BlockingIOError):
            self._report = os.read(self._status_descriptor, _MOST_STATUS_BYTES)
        if not self._report:
            return own_status
        told = json.loads(self._report)
        self.full_folders = told["full"]
        return int(told["status"])


def _start_plain(child: ChildJob) -> int:
    host_pid = os.getpid()
    pid = os.fork()
    if pid == 0:
        run_child(child, host_pid)
    return pid


def _fork_into_namespace(wall: HostWall) -> int:
    """fork(), with the new process as number 1 of a process-id namespace of its own."""
    assert wall.pid_namespace is not None, "namespaces are for Linux"
    kernel.unshare(kernel.CLONE_NEWPID)
    pid = -1
    try:
        pid = os.fork()
    finally:
        # Later children of the host must not become members of this one's namespace.
        if pid != 0:
            kernel.enter_namespace(wall.pid_namespace, kernel.CLONE_NEWPID)
    return pid

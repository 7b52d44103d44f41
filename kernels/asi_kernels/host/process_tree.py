"""What /proc tells about the processes below one, and how to end them.

Elsewhere than on Linux there is neither /proc nor prctl: a job is then ended by its process group alone, its memory is
known only afterwards, and it may outlive a host that was killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path
from typing import NamedTuple

_IS_LINUX = sys.platform == "linux"
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True)


def adopt_orphans() -> None:
    """Makes this process the parent of every orphan below it, so that a child that detaches is found again."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def ask_to_die_with_parent() -> None:
    """Has the kernel kill this process when its parent dies. To be asked again after a change of user."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def die_with_parent(parent: int) -> None:
    """The same, and ends this process at once if `parent` has died already."""
    ask_to_die_with_parent()
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def descendants(root: int) -> list[int]:
    """Process ids below `root`, itself left out, parents before children."""
    children: dict[int, list[int]] = {}
    for pid, parent in _parents():
        children.setdefault(parent, []).append(pid)
    found, queue = [], list(children.get(root, []))
    while queue:
        pid = queue.pop(0)
        found.append(pid)
        queue.extend(children.get(pid, []))
    return found


def children_of(root: int) -> list[int]:
    """Process ids whose parent is `root`."""
    return [pid for pid, parent in _parents() if parent == root]


class Usage(NamedTuple):
    """What one process holds and has used; CPU time with that of the children it has waited for."""

    memory_bytes: int
    num_threads: int
    cpu_seconds: float


def usage_of(pid: int) -> Usage:
    """Of one process now; zeros when it is gone."""
    try:
        # Fields 14 to 17, 20 and 24 of /proc/<pid>/stat (proc(5)); the name before them may hold spaces.
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        ticks = sum(int(field) for field in fields[11:15])
        return Usage(int(fields[21]) * _PAGE_BYTES, int(fields[17]), ticks / _TICKS_A_SECOND)
    except (OSError, IndexError):
        return Usage(0, 0, 0.0)


def kill_group(pid: int) -> None:
    """SIGKILL to the session that `pid` leads and to everything below it. A stopped process dies too."""
    for target in descendants(pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(target, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    # Before the child has made its own session there is no such group yet.
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def kill_orphans(known: set[int]) -> int:
    """Kills and reaps children of this process that are none of `known`: what left its job behind. Their number."""
    strangers = [pid for pid in children_of(os.getpid()) if pid not in known]
    for pid in strangers:
        for target in [*descendants(pid), pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(target, signal.SIGKILL)
    for pid in strangers:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
    return len(strangers)


def num_kernel_oom_kills() -> int:
    """How often the kernel has ended a process of this machine for lack of memory; 0 where it does not tell."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/vmstat").read_text().splitlines():
            name, _, count = line.partition(" ")
            if name == "oom_kill":
                return int(count)
    return 0


def _parents() -> list[tuple[int, int]]:
    """(process id, parent id) of every process that can be read; none without /proc."""
    pairs: list[tuple[int, int]] = []
    if not _IS_LINUX:
        return pairs
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                content = Path(f"/proc/{name}/stat").read_bytes()
            except OSError:  # ended meanwhile
                continue
            # The name in parentheses may itself hold spaces and parentheses; state and parent follow the last one.
            pairs.append((int(name), int(content.rpartition(b")")[2].split()[1])))
    return pairs


def _prctl(option: int, value: int) -> None:
    if not _IS_LINUX:
        return
    if _libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option} failed")

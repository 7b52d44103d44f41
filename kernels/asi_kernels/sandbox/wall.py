"""The wall that a job's process builds around itself before any candidate code is near.

Tiers S2 and S1: a root of its own made from a list (plan.py; what the launcher hid stays hidden), namespaces, no
network, no capabilities, an own user id where root started the host, a system-call filter, limits. S0L: Landlock in
place of namespaces. S0P: an own user id and limits. The cgroups of S2 are set from outside, by the host (cgroups.py).
"""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import stat
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from . import kernel_calls as kernel
from .filter import bound_program, filter_program
from .landlock import restrict, restrict_reading
from .plan import DEVICES, JobPlan, runtime_paths, runtime_rights

BuiltTier = Literal["S2", "S1", "S0L", "S0P", "none"]
# Mounted over by the launcher; the job builds its root here.
WALL_FOLDER = "/.wall"
SCRATCH_BYTES = 64 << 20
_SCRATCH_FILES = 4096
_PROCESSORS = "/sys/devices/system/cpu"
_ROOT_OPTIONS = "size=1m,nr_inodes=2048,mode=755"
NUM_PROCESSES = 128
_NUM_OPEN_FILES = 1024
_LARGEST_FILE_BYTES = 2 << 30
_MOST_OWNED_FILES = 512
_READ_ONLY = kernel.MS_RDONLY | kernel.MS_NOSUID | kernel.MS_NODEV


@dataclass(frozen=True)
class WallKind:
    """What walls of this host are made of. uid: the user that candidate code becomes, None to stay who one is."""

    tier: BuiltTier
    uid: int | None

    @property
    def has_namespaces(self) -> bool:
        return self.tier in ("S2", "S1")


def build_namespaces(kind: WallKind, plan: JobPlan) -> None:
    """Called by the first process of a new process-id namespace. Raises OSError that names the step."""
    kernel.unshare(
        kernel.CLONE_NEWNS
        | kernel.CLONE_NEWNET
        | kernel.CLONE_NEWIPC
        | kernel.CLONE_NEWUTS
        | (kernel.CLONE_NEWCGROUP if os.path.exists("/proc/self/ns/cgroup") else 0)
    )
    kernel.mount("", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("wall", WALL_FOLDER, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, _ROOT_OPTIONS)
    _make_devices()
    # Before everything that may lie below them.
    _make_scratch("/tmp")
    _make_scratch("/dev/shm")
    for path in runtime_paths():
        _show(path, _READ_ONLY)
    _make_users(kind)
    os.makedirs(f"{WALL_FOLDER}/proc", exist_ok=True)
    kernel.mount("proc", f"{WALL_FOLDER}/proc", "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
    _show(plan.workdir, kernel.MS_NOSUID | kernel.MS_NODEV)
    for path in plan.inputs:
        _show(path, _READ_ONLY)
    kernel.set_host_name("candidate")
    kernel.make_root(WALL_FOLDER)
    kernel.mount("", "/", None, kernel.MS_REMOUNT | kernel.MS_BIND | _READ_ONLY)
    os.chdir(plan.workdir)


def become_powerless(kind: WallKind, plan: JobPlan) -> None:
    """Gives up user id, capabilities, files, calls and numbers, as far as the tier goes. For good."""
    _set_limits(kind)
    if kind.tier == "none":
        return
    if kind.tier != "S0P":
        with contextlib.suppress(OSError):  # without CAP_SETPCAP the set matters no more: no_new_privs is set below
            kernel.drop_capability_bound()
    if kind.uid is not None:
        os.setgroups([])
        os.setresgid(kind.uid, kind.uid, kind.uid)
        os.setresuid(kind.uid, kind.uid, kind.uid)
    if kind.tier == "S0P":
        return
    kernel.drop_capabilities()
    kernel.forbid_new_privileges()
    if kind.tier == "S0L":
        rights = runtime_rights()
        readable = [*_present(rights.readable), *plan.inputs]
        restrict(readable, [plan.workdir, *_device_paths()], listed=rights.listed)
    kernel.install_filter(
        filter_program(allow_sockets=kind.has_namespaces, allow_shared_memory_files=kind.tier == "S2")
    )


def close_reading(kind: WallKind, files: Iterable[str]) -> bool:
    """Closes every file and folder but `files` to reading, after become_powerless and before candidate code. For good.

    `files` are the candidate's program and what else its code may see; beside them the devices, and what libraries ask
    of the processors late. Nothing of what Python, torch and this package are made of: their sources are a text to
    learn from, in a default campaign that of the task itself. The host has loaded what a job needs (host/warm_up.py).
    What is in memory stays there: names, constants and docstrings of what is loaded.
    Says whether anything was closed: not without Landlock in the kernel, and not at S0P and none, which lack what a
    rule of Landlock needs.
    """
    if kind.tier in ("S0P", "none"):
        return False
    return restrict_reading([*_present([_PROCESSORS]), *_device_paths(), *files])


def become_bound(kind: WallKind) -> None:
    """Closes every file to writing, and other processes to signals and limits, after become_powerless. For good.

    At S0P and none nothing is closed: a filter needs what those tiers lack.
    """
    if kind.tier not in ("S0P", "none"):
        kernel.install_filter(bound_program(os.getpid()))


def _present(readable: list[str]) -> list[str]:
    return [path for path in (*readable, "/proc/cpuinfo") if os.path.exists(path)]


def _device_paths() -> list[str]:
    return [f"/dev/{name}" for name in DEVICES]


def full_scratch() -> list[str]:
    """Scratch folders that are filled to their limit; for the first process of a walled job to tell after its end."""
    return [folder for folder in ("/tmp", "/dev/shm") if _is_full(folder)]


def give_folder(workdir: Path, uid: int) -> None:
    """Hands a work folder, its plain files and its checkpoints to a user id, by descriptor, while no job lives in it.

    One level and one named folder deep; what is no plain file of one link is left as it is.
    """
    folder = os.open(workdir, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        _give_entries(folder, uid)
        try:
            below = os.open("checkpoints", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                raise
            return
        try:
            _give_entries(below, uid)
        finally:
            os.close(below)
    finally:
        os.close(folder)


def _give_entries(folder: int, uid: int) -> None:
    os.fchown(folder, uid, uid)
    for name in os.listdir(folder)[:_MOST_OWNED_FILES]:
        try:
            entry = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        except OSError:
            continue  # a link, a socket: not handed over
        try:
            facts = os.fstat(entry)
            if stat.S_ISREG(facts.st_mode) and facts.st_nlink == 1 and facts.st_uid != uid:
                os.fchown(entry, uid, uid)
        finally:
            os.close(entry)


def _show(path: str, flags: int) -> None:
    """Shows a path of the old root at the same place of the new one. A link is repeated."""
    target = WALL_FOLDER + path
    os.makedirs(os.path.dirname(target), mode=0o755, exist_ok=True)
    if os.path.islink(path):
        os.symlink(os.readlink(path), target)
        return
    if os.path.isdir(path):
        os.makedirs(target, exist_ok=True)
    elif not os.path.exists(target):
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444))
    kernel.bind(path, target, flags)


def _make_devices() -> None:
    os.mkdir(f"{WALL_FOLDER}/dev")
    for name in DEVICES:
        _show(f"/dev/{name}", 0)
    os.symlink("/proc/self/fd", f"{WALL_FOLDER}/dev/fd")


def _make_scratch(folder: str) -> None:
    target = WALL_FOLDER + folder
    os.makedirs(target, exist_ok=True)
    options = f"size={SCRATCH_BYTES},nr_inodes={_SCRATCH_FILES},mode=1777"
    kernel.mount("scratch", target, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, options)


def _make_users(kind: WallKind) -> None:
    uid = os.getuid() if kind.uid is None else kind.uid
    os.makedirs(f"{WALL_FOLDER}/etc", exist_ok=True)
    Path(f"{WALL_FOLDER}/etc/passwd").write_text(f"candidate:x:{uid}:{uid}::/nonexistent:/usr/sbin/nologin\n")


def _set_limits(kind: WallKind) -> None:
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: _LARGEST_FILE_BYTES,
        resource.RLIMIT_NOFILE: _NUM_OPEN_FILES,
    }
    if sys.platform == "linux":
        limits[resource.RLIMIT_MSGQUEUE] = 0
    if kind.has_namespaces:  # elsewhere the count is over everything else that this user runs
        limits[resource.RLIMIT_NPROC] = 4 * NUM_PROCESSES
    for limit, value in limits.items():
        _, hard = resource.getrlimit(limit)
        bounded = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (bounded, bounded))


def _is_full(folder: str) -> bool:
    try:
        facts = os.statvfs(folder)
    except OSError:
        return False
    return facts.f_bavail * facts.f_frsize < SCRATCH_BYTES // 100 or facts.f_favail < _SCRATCH_FILES // 100

"""One slot for each host that root has started: a user id, a lock that vanishes with the host, cgroup folders.

`reap` kills and removes what hosts left that are gone: processes of a slot's user id and cgroups. Mounts and System V
objects need no reaping, they lie in namespaces that end with their last process.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from .cgroups import remove_tree, slot_folders

FIRST_UID = 64000
_NUM_SLOTS = 128
_LOCK_FOLDER = "/run/asi-arch"


class NoSlot(Exception):
    """Every slot is taken."""


class Slot:
    """A slot that this process holds until `descriptor` and all copies of it are closed."""

    def __init__(self, number: int, descriptor: int) -> None:
        self.number = number
        self.descriptor = descriptor

    @property
    def name(self) -> str:
        return f"slot-{self.number}"

    @property
    def uid(self) -> int:
        return FIRST_UID + self.number


def take_slot() -> Slot:
    """The first free slot, cleaned of what its last holder left. Needs root. Raises NoSlot, OSError."""
    os.makedirs(_LOCK_FOLDER, mode=0o700, exist_ok=True)
    taken: Slot | None = None
    for number in range(_NUM_SLOTS):
        if taken is not None and not _lock_path(number).exists():
            break  # slots are taken from the first on: none past here was ever held
        descriptor = _try_lock(number)
        if descriptor is None:
            continue
        _reap(number)
        if taken is None:
            taken = Slot(number, descriptor)
        else:
            os.close(descriptor)
    if taken is None:
        raise NoSlot(f"all {_NUM_SLOTS} slots in {_LOCK_FOLDER} are held by running hosts")
    return taken


def processes_of(uid: int) -> list[int]:
    """Living processes whose real user id is `uid`."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                status = Path(f"/proc/{name}/status").read_text()
                if f"\nUid:\t{uid}\t" in status and "\nState:\tZ" not in status:
                    found.append(int(name))
    return found


def _reap(number: int) -> None:
    for pid in processes_of(FIRST_UID + number):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, 9)
    for name, folder in list(slot_folders()):
        if name == f"slot-{number}":
            remove_tree(folder)


def _try_lock(number: int) -> int | None:
    descriptor = os.open(_lock_path(number), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _lock_path(number: int) -> Path:
    return Path(_LOCK_FOLDER, f"slot-{number}.lock")

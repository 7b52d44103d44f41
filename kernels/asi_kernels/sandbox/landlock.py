"""Landlock: what of the file tree, the network and other processes this process may touch, for good (landlock(7)).

Every path that is named must exist and every right that is asked for must be known to the kernel: one that is silently
left out would leave the rest unguarded.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterable

from .kernel_calls import LANDLOCK_ADD_RULE, LANDLOCK_CREATE_RULESET, LANDLOCK_RESTRICT_SELF, syscall

LEAST_ABI = 6  # scoping of signals and abstract sockets
_VERSION_FLAG = 1
_PATH_BENEATH = 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15
_ALL_FILE_RIGHTS = (1 << 16) - 1
_FILE_ONLY = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_READ = _READ_FILE | _READ_DIR | _EXECUTE
# Making device nodes (bits 6 and 11) and device ioctls are left out of what a job may do in its own folder.
_WRITE = _READ | _WRITE_FILE | _TRUNCATE | sum(1 << bit for bit in (4, 5, 7, 8, 9, 10, 12))
_NET_BIND_AND_CONNECT = 3
_SCOPE_SOCKETS_AND_SIGNALS = 3


def landlock_abi() -> int:
    """Version of the interface of this kernel; 0 without Landlock."""
    try:
        return syscall("landlock_create_ruleset", LANDLOCK_CREATE_RULESET, None, 0, _VERSION_FLAG)
    except OSError:
        return 0


def restrict(readable: Iterable[str], writable: Iterable[str], *, listed: Iterable[str] = ()) -> None:
    """Closes everything but these paths, all of TCP, and signals and abstract sockets to processes outside.

    listed: folders of which the names alone may be read, of themselves and of all below them.
    Raises OSError when a path is missing or the kernel's Landlock is older than LEAST_ABI. no_new_privs must be set.
    """
    handled = struct.pack("=QQQ", _ALL_FILE_RIGHTS, _NET_BIND_AND_CONNECT, _SCOPE_SOCKETS_AND_SIGNALS)
    _enforce(handled, ((readable, _READ), (writable, _WRITE), (listed, _READ_DIR)))


def restrict_reading(readable: Iterable[str]) -> bool:
    """Closes everything but these paths to reading, and all programs to being started, on top of what was closed
    before; writing stays as it is. What is open or mapped already stays so.

    False where the kernel has no Landlock: then nothing is closed. Raises OSError when a path is missing.
    no_new_privs must be set.
    """
    if landlock_abi() == 0:
        return False
    # The first eight bytes alone, which every version of Landlock knows.
    _enforce(struct.pack("=Q", _READ), ((readable, _READ_FILE | _READ_DIR),))
    return True


def _enforce(handled: bytes, rules: Iterable[tuple[Iterable[str], int]]) -> None:
    """handled: what is closed but for the rules, as the kernel's struct landlock_ruleset_attr."""
    buffer = ctypes.create_string_buffer(handled, len(handled))
    ruleset = syscall("landlock_create_ruleset", LANDLOCK_CREATE_RULESET, buffer, len(handled), 0)
    try:
        for paths, rights in rules:
            for path in paths:
                _allow(ruleset, path, rights)
        syscall("landlock_restrict_self", LANDLOCK_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            rights &= _FILE_ONLY
        rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, descriptor), 12)
        syscall(f"landlock_add_rule {path}", LANDLOCK_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0)
    finally:
        os.close(descriptor)

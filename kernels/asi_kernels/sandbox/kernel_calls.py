"""Linux calls that Python 3.11 has no name for. Each raises OSError that names the call."""

from __future__ import annotations

import ctypes
import os
import platform
import struct

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
_MNT_DETACH = 2

_PR_SET_DUMPABLE = 4
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_CAPABILITY_VERSION_3 = 0x20080522
_LAST_CAPABILITY = 63

# Numbers by machine: pivot_root, capset, seccomp. Those of Landlock are the same everywhere.
_NUMBERS = {"x86_64": (155, 126, 317), "aarch64": (41, 91, 277)}
LANDLOCK_CREATE_RULESET, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF = 444, 445, 446

_libc = ctypes.CDLL(None, use_errno=True)


def syscall(name: str, number: int, *arguments: object) -> int:
    """A system call by number. Integers are passed as longs."""
    converted = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    return _checked(name, _libc.syscall(ctypes.c_long(number), *converted))


def unshare(flags: int) -> None:
    _checked("unshare", _libc.unshare(flags))


def enter_namespace(descriptor: int, kind: int) -> None:
    _checked("setns", _libc.setns(descriptor, kind))


def mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    result = _libc.mount(
        source.encode(),
        os.fsencode(target),
        None if kind is None else kind.encode(),
        ctypes.c_ulong(flags),
        options.encode() or None,
    )
    _checked(f"mount {target}", result)


def bind(source: str, target: str, flags: int = 0) -> None:
    """Shows `source` at `target`. With flags (MS_RDONLY and the like) the new mount alone gets them."""
    result = _libc.mount(os.fsencode(source), os.fsencode(target), None, ctypes.c_ulong(MS_BIND | MS_REC), None)
    _checked(f"bind {source} at {target}", result)
    if flags:
        # Flags that the mount has already must be named again: in a user namespace they are locked.
        kept = os.statvfs(target).f_flag & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)
        mount("", target, None, MS_REMOUNT | MS_BIND | kept | flags)


def make_root(folder: str) -> None:
    """`folder`, a mount, becomes the root of this mount namespace; the old one is gone from it."""
    os.chdir(folder)
    # Old and new root on one spot: no folder for the old one is needed (pivot_root(2), "pivot_root(".", ".")").
    dot = ctypes.c_char_p(b".")
    syscall("pivot_root", _number(0), dot, dot)
    _checked("umount2", _libc.umount2(b".", _MNT_DETACH))
    os.chdir("/")


def set_undumpable() -> None:
    """Closes /proc/<this process>/mem and the like to processes of the same user."""
    prctl(_PR_SET_DUMPABLE, 0)


def set_dumpable() -> None:
    prctl(_PR_SET_DUMPABLE, 1)


def drop_capability_bound() -> None:
    """Takes every capability from what this process may ever gain. Needs CAP_SETPCAP."""
    for capability in range(_LAST_CAPABILITY + 1):
        if _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break  # past the last one that this kernel knows


def drop_capabilities() -> None:
    """Empties the effective, permitted, inheritable and ambient sets."""
    prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    header = ctypes.create_string_buffer(struct.pack("=Ii", _CAPABILITY_VERSION_3, 0))
    syscall("capset", _number(1), header, ctypes.create_string_buffer(24))


def forbid_new_privileges() -> None:
    prctl(_PR_SET_NO_NEW_PRIVS, 1)


def install_filter(program: bytes) -> None:
    """Installs a seccomp filter (instructions of 8 bytes) on this process and its children, for good."""

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]

    wanted = Program(len(program) // 8, program)
    syscall("seccomp", _number(2), 1, 0, ctypes.byref(wanted))


def set_host_name(name: str) -> None:
    _checked("sethostname", _libc.sethostname(name.encode(), len(name)))


def prctl(option: int, value: int) -> None:
    _checked(f"prctl {option}", _libc.prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(0), ctypes.c_ulong(0), 0))


def is_known_machine() -> bool:
    """Whether the numbers of the calls are known for this processor."""
    return platform.machine() in _NUMBERS


def _number(index: int) -> int:
    return _NUMBERS[platform.machine()][index]


def _checked(name: str, result: int) -> int:
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result

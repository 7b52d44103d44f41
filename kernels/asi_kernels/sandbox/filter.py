"""The system calls that a candidate may not make, as a seccomp program (classic BPF) made here for this processor.

A list of what is denied: torch and the libraries below it use a wide and changing set. A denied call fails with an
error, so that a library that only tries goes on without it. Instructions and constants: linux/filter.h and
linux/seccomp.h.
"""

from __future__ import annotations

import errno
import os
import platform
import socket
import struct

from .kernel_calls import (
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
)

_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_FIRST_X32_CALL = 0x40000000

# name: (number on x86_64, number on aarch64); None where the processor has no such call.
_DENIED: dict[str, tuple[int | None, int | None]] = {
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "unshare": (272, 97),
    "setns": (308, 268),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "init_module": (175, 105),
    "delete_module": (176, 106),
    "finit_module": (313, 273),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "settimeofday": (164, 170),
    "adjtimex": (159, 171),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "syslog": (103, 116),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "vhangup": (153, 58),
    "fanotify_init": (300, 262),
    "lookup_dcookie": (212, 18),
    "iopl": (172, None),
    "ioperm": (173, None),
    "modify_ldt": (154, None),
    # What two processes could tell each other by, on files that both may only read.
    "flock": (73, 32),
    "inotify_init": (253, None),
    "inotify_init1": (294, 26),
    "inotify_add_watch": (254, 27),
    # And by memory, queues and counters that outlive the process; S0L has no namespace for them.
    "shmget": (29, 194),
    "shmat": (30, 196),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
}
_CLONE, _CLONE3, _SOCKET, _IOCTL, _MEMFD = (56, 220), (435, 435), (41, 198), (16, 29), (319, 279)
_NEW_NAMESPACES = (
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET
)
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_FCNTL = (72, 25)
# F_GETLK, F_SETLK, F_SETLKW, F_SETLEASE, F_GETLEASE, F_NOTIFY and the three of open file descriptions (linux/fcntl.h).
_LOCK_COMMANDS = (5, 6, 7, 1024, 1025, 1026, 36, 37, 38)

_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NUMBER_OFFSET, _ARCH_OFFSET, _FIRST_ARGUMENT_OFFSET = 0, 4, 16


def filter_program(*, allow_sockets: bool, allow_shared_memory_files: bool, machine: str = platform.machine()) -> bytes:
    """The instructions, 8 bytes each.

    allow_sockets: local and internet sockets may be made (there is no network to reach with them). Without, none may.
    allow_shared_memory_files: memfd_create works (a memory limit counts it).
    """
    index = list(_AUDIT_ARCH).index(machine)
    refuse = _instruction(_RETURN, _ERRNO | errno.EPERM)
    program = _head(machine)
    denied = [numbers[index] for numbers in _DENIED.values()]
    if not allow_shared_memory_files:
        denied.append(_MEMFD[index])
    for number in denied:
        if number is not None:
            program += [_instruction(_JUMP_EQUAL, number, 0, 1), refuse]
    # Flags of clone3 lie behind a pointer, where no filter can look: the C library falls back to clone.
    program += [
        _instruction(_JUMP_EQUAL, _CLONE3[index], 0, 1),
        _instruction(_RETURN, _ERRNO | errno.ENOSYS),
        *_call(_CLONE[index], [_instruction(_JUMP_ANY_BIT, _NEW_NAMESPACES, 0, 1), refuse]),
        *_call(
            _IOCTL[index],
            [
                _instruction(_JUMP_EQUAL, _TIOCSTI, 1, 0),
                _instruction(_JUMP_EQUAL, _TIOCLINUX, 0, 1),
                refuse,
            ],
            argument=1,
        ),
    ]
    locks = [
        _instruction(_JUMP_EQUAL, command, len(_LOCK_COMMANDS) - place, 0)
        for place, command in enumerate(_LOCK_COMMANDS)
    ]
    program += _call(_FCNTL[index], [*locks, _instruction(_RETURN, _ALLOW), refuse], argument=1)
    allowed = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6) if allow_sockets else ()
    families = [_instruction(_JUMP_EQUAL, int(family), len(allowed) - place, 0) for place, family in enumerate(allowed)]
    program += [*_call(_SOCKET[index], [*families, refuse]), _instruction(_RETURN, _ALLOW)]
    return b"".join(program)


# Calls that change a file, a folder or a name.
_CHANGES: dict[str, tuple[int | None, int | None]] = {
    "creat": (85, None),
    "openat2": (437, 437),  # its flags lie behind a pointer
    "truncate": (76, 45),
    "mkdir": (83, None),
    "mkdirat": (258, 34),
    "mknod": (133, None),
    "mknodat": (259, 33),
    "rmdir": (84, None),
    "unlink": (87, None),
    "unlinkat": (263, 35),
    "rename": (82, None),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "link": (86, None),
    "linkat": (265, 37),
    "symlink": (88, None),
    "symlinkat": (266, 36),
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "lchown": (94, None),
    "fchown": (93, 55),
    "fchownat": (260, 54),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "setxattrat": (463, 463),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "removexattrat": (466, 466),
}
# Numbers as above, and the place of the flags among the arguments.
_OPENS: dict[str, tuple[tuple[int | None, int | None], int]] = {"open": ((2, None), 1), "openat": ((257, 56), 2)}
_WRITING_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


# Calls whose first argument is the process that they act on.
_ACTS_ON: dict[str, tuple[int, int]] = {
    "kill": (62, 129),
    "tkill": (200, 130),
    "tgkill": (234, 131),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "prlimit64": (302, 261),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
    "setpgid": (109, 154),
}
# Acts on a process by a descriptor or by a kind and a number that no filter can tell apart.
_ACTS_ON_ANY: dict[str, tuple[int, int]] = {
    "pidfd_send_signal": (424, 424),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
}
# F_SETOWN, F_SETSIG, F_SETOWN_EX; FIOSETOWN and SIOCSPGRP: whom the kernel signals when a descriptor is ready.
_OWNER_COMMANDS = (8, 10, 15)
_OWNER_REQUESTS = (0x8901, 0x8902)
_FORKS: dict[str, tuple[int | None, int | None]] = {"fork": (57, None), "vfork": (58, None)}
_CLONE_THREAD = 0x00010000
_MEANS_ITSELF = frozenset({"prlimit64", "sched_setparam", "sched_setscheduler", "sched_setaffinity", "sched_setattr"})
"""Calls for which process 0 is the caller; for kill it is a group."""


def bound_program(own_pid: int, *, machine: str = platform.machine()) -> bytes:
    """The instructions of a second filter: files are read alone, no other process is acted on, none is started.

    own_pid: the one process that may be signalled and limited. What is open already, shared memory and memory files
    stay as they are.
    """
    index = list(_AUDIT_ARCH).index(machine)
    refuse = _instruction(_RETURN, _ERRNO | errno.EPERM)
    program = _head(machine)
    for numbers in (*_CHANGES.values(), *_ACTS_ON_ANY.values()):
        number = numbers[index]
        if number is not None:
            program += [_instruction(_JUMP_EQUAL, number, 0, 1), refuse]
    for numbers, place in _OPENS.values():
        number = numbers[index]
        if number is not None:
            program += _call(number, [_instruction(_JUMP_ANY_BIT, _WRITING_FLAGS, 0, 1), refuse], argument=place)
    number = _FCNTL[index]
    owners = [
        _instruction(_JUMP_EQUAL, command, len(_OWNER_COMMANDS) - place, 0)
        for place, command in enumerate(_OWNER_COMMANDS)
    ]
    program += _call(number, [*owners, _instruction(_RETURN, _ALLOW), refuse], argument=1)
    owners = [
        _instruction(_JUMP_EQUAL, command, len(_OWNER_REQUESTS) - place, 0)
        for place, command in enumerate(_OWNER_REQUESTS)
    ]
    program += _call(_IOCTL[index], [*owners, _instruction(_RETURN, _ALLOW), refuse], argument=1)
    # Children that nobody waits for are in no account of CPU time; threads are.
    for number in (numbers[index] for numbers in _FORKS.values()):
        if number is not None:
            program += [_instruction(_JUMP_EQUAL, number, 0, 1), refuse]
    program += _call(_CLONE[index], [_instruction(_JUMP_ANY_BIT, _CLONE_THREAD, 1, 0), refuse])
    program += [_instruction(_JUMP_EQUAL, _CLONE3[index], 0, 1), _instruction(_RETURN, _ERRNO | errno.ENOSYS)]
    for name, targets in _ACTS_ON.items():
        allowed = (own_pid, 0) if name in _MEANS_ITSELF else (own_pid,)
        body = [_instruction(_JUMP_EQUAL, pid, len(allowed) - place, 0) for place, pid in enumerate(allowed)]
        program += _call(targets[index], [*body, refuse])
    return b"".join([*program, _instruction(_RETURN, _ALLOW)])


def _head(machine: str) -> list[bytes]:
    """Ends a process that calls as another processor would; leaves the number of the call to look at."""
    head = [
        _instruction(_LOAD, _ARCH_OFFSET),
        _instruction(_JUMP_EQUAL, _AUDIT_ARCH[machine], 1, 0),
        _instruction(_RETURN, _KILL),
        _instruction(_LOAD, _NUMBER_OFFSET),
    ]
    if machine == "x86_64":
        # The x32 calls have numbers of their own, which would go past the list.
        head += [
            _instruction(_JUMP_AT_LEAST, _FIRST_X32_CALL, 0, 1),
            _instruction(_RETURN, _ERRNO | errno.ENOSYS),
        ]
    return head


def _call(number: int, body: list[bytes], argument: int = 0) -> list[bytes]:
    """A block that looks at the low half of one argument of a call; whoever falls through it is allowed."""
    return [
        _instruction(_JUMP_EQUAL, number, 0, len(body) + 2),
        _instruction(_LOAD, _FIRST_ARGUMENT_OFFSET + 8 * argument),
        *body,
        _instruction(_RETURN, _ALLOW),
    ]


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)

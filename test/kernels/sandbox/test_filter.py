"""The system-call filter is the same kind of program on both processors, and refuses what it names."""

import ctypes
import errno
import os
import struct
import sys

import pytest

from asi_kernels.sandbox import kernel_calls
from asi_kernels.sandbox.filter import filter_program


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize("allow", [True, False])
def test_every_jump_stays_inside_and_the_program_ends_with_a_decision(machine: str, allow: bool) -> None:
    program = filter_program(allow_sockets=allow, allow_shared_memory_files=allow, machine=machine)
    steps = list(struct.iter_unpack("=HBBI", program))
    for place, (code, if_true, if_false, _) in enumerate(steps):
        if code & 7 == 5:  # a jump
            assert place + 1 + max(if_true, if_false) < len(steps)
    assert steps[-1][0] == 0x06
    assert len(program) < 2048


@pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's")
def _lock(libc: ctypes.CDLL) -> int:
    """F_GETLK on a file that many may read: what two processes could talk by."""
    descriptor = os.open("/dev/null", os.O_RDONLY)
    return int(libc.fcntl(descriptor, 5, ctypes.create_string_buffer(64)))


def test_an_installed_filter_refuses_namespaces_and_sockets_and_lets_the_rest_through() -> None:
    pid = os.fork()
    if pid == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        kernel_calls.forbid_new_privileges()
        kernel_calls.install_filter(filter_program(allow_sockets=False, allow_shared_memory_files=False))
        refused = [libc.unshare(0x10000000), libc.socket(1, 1, 0), libc.mount(b"a", b"/", b"tmpfs", 0, None)]
        refused += [_lock(libc), libc.flock(0, 1), libc.inotify_init()]
        held = refused == [-1] * 6 and ctypes.get_errno() == errno.EPERM and os.getpid() > 0
        child = os.fork()
        if child == 0:
            os._exit(0)
        os._exit(0 if held and os.waitpid(child, 0)[1] == 0 else 1)
    assert os.waitpid(pid, 0)[1] == 0

"""The system-call filter is the same kind of program on both processors, and refuses what it names."""

import ctypes
import errno
import fcntl
import os
import resource
import signal
import struct
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from asi_kernels.sandbox import kernel_calls
from asi_kernels.sandbox.filter import bound_program, filter_program


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize("allow", [True, False])
def test_every_jump_stays_inside_and_the_program_ends_with_a_decision(machine: str, allow: bool) -> None:
    program = filter_program(allow_sockets=allow, allow_shared_memory_files=allow, machine=machine)
    check_jumps(program)
    check_jumps(bound_program(4321, machine=machine))


def check_jumps(program: bytes) -> None:
    steps = list(struct.iter_unpack("=HBBI", program))
    for place, (code, if_true, if_false, _) in enumerate(steps):
        if code & 7 == 5:  # a jump
            assert place + 1 + max(if_true, if_false) < len(steps)
    assert steps[-1][0] == 0x06
    assert len(program) < 2048


def _lock(libc: ctypes.CDLL) -> int:
    """F_GETLK on a file that many may read: what two processes could talk by."""
    descriptor = os.open("/dev/null", os.O_RDONLY)
    return int(libc.fcntl(descriptor, 5, ctypes.create_string_buffer(64)))


@pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's")
def test_an_installed_filter_refuses_namespaces_and_sockets_and_lets_the_rest_through() -> None:
    pid = os.fork()
    if pid == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        kernel_calls.forbid_new_privileges()
        kernel_calls.install_filter(filter_program(allow_sockets=False, allow_shared_memory_files=False))
        refused = [libc.unshare(0x10000000), libc.socket(1, 1, 0), libc.mount(b"a", b"/", b"tmpfs", 0, None)]
        refused += [_lock(libc), libc.flock(0, 1), libc.inotify_init()]
        refused += [libc.shmget(0x51, 4096, 0o1666), libc.semget(0x51, 1, 0o1666), libc.msgget(0x51, 0o1666)]
        held = refused == [-1] * 9 and ctypes.get_errno() == errno.EPERM and os.getpid() > 0
        child = os.fork()
        if child == 0:
            os._exit(0)
        os._exit(0 if held and os.waitpid(child, 0)[1] == 0 else 1)
    assert os.waitpid(pid, 0)[1] == 0


def changes(folder: Path) -> list[Callable[[], object]]:
    """Ways to change a folder that holds the file `there`, each of which works while nothing forbids it."""
    there, new = folder / "there", folder / "new"
    return [
        lambda: new.write_text("x"),
        lambda: there.open("a").close(),
        lambda: there.open("r+").close(),
        lambda: os.open(there, os.O_RDONLY | os.O_TRUNC),
        lambda: os.open(folder, os.O_TMPFILE | os.O_RDWR),
        lambda: os.truncate(there, 0),
        lambda: os.mkdir(new),
        lambda: os.mkfifo(new),
        lambda: os.symlink(there, new),
        lambda: os.link(there, new),
        lambda: os.rename(there, new),
        lambda: os.chmod(there, 0o777),
        lambda: os.utime(there),
        lambda: os.setxattr(there, "user.x", b"x"),
        lambda: os.unlink(there),
        lambda: os.rmdir(folder / "below"),
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's")
def test_a_bound_process_may_read_and_change_nothing(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("text")
    (tmp_path / "below").mkdir()
    pid = os.fork()
    if pid == 0:
        kernel_calls.forbid_new_privileges()
        kernel_calls.install_filter(bound_program(os.getpid()))
        done = [place for place, change in enumerate(changes(tmp_path)) if not _is_refused(change)]
        os._exit(0 if not done and (tmp_path / "there").read_text() == "text" else 1 + min(done, default=90))
    assert os.waitpid(pid, 0)[1] == 0
    assert sorted(os.listdir(tmp_path)) == ["below", "there"]
    # Without the filter each of them works: none was refused for another reason.
    for place in range(len(changes(tmp_path))):
        fresh = tmp_path / f"free{place}"
        (fresh / "below").mkdir(parents=True)
        (fresh / "there").write_text("text")
        assert not _is_refused(changes(fresh)[place]), place


def _is_refused(change: Callable[[], object]) -> bool:
    try:
        change()
    except PermissionError:
        return True
    except OSError as error:  # no file system knows every way
        return error.errno != errno.ENOTSUP
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's")
def test_a_bound_process_acts_on_itself_alone() -> None:
    other = os.getpid()
    reader, _ = os.pipe()
    pid = os.fork()
    if pid == 0:
        kernel_calls.forbid_new_privileges()
        kernel_calls.install_filter(bound_program(os.getpid()))
        on_other: list[Callable[[], object]] = [
            lambda: os.kill(other, 0),
            lambda: os.kill(0, 0),
            lambda: os.kill(-1, 0),
            lambda: resource.prlimit(other, resource.RLIMIT_CORE, (0, 0)),
            lambda: os.sched_setaffinity(other, os.sched_getaffinity(0)),
            lambda: os.setpriority(os.PRIO_PROCESS, other, 19),
            lambda: signal.pidfd_send_signal(os.pidfd_open(other), 0),
            lambda: fcntl.fcntl(reader, fcntl.F_SETOWN, other),
            lambda: fcntl.fcntl(reader, 10, signal.SIGKILL),
            lambda: fcntl.ioctl(reader, 0x8901, struct.pack("=i", other)),
            os.fork,
            lambda: os.posix_spawn("/bin/true", ["true"], {}),
        ]
        on_itself: list[Callable[[], object]] = [
            lambda: os.kill(os.getpid(), 0),
            lambda: signal.raise_signal(signal.SIGCHLD),
            lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)),
            lambda: os.sched_setaffinity(0, os.sched_getaffinity(0)),
            lambda: fcntl.fcntl(reader, fcntl.F_SETFD, 0),
            lambda: threading.Thread(target=os.getpid).start(),
        ]
        held = all(map(_is_refused, on_other)) and not any(map(_is_refused, on_itself))
        os._exit(0 if held else 1)
    assert os.waitpid(pid, 0)[1] == 0

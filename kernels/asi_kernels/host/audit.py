"""Ends a job that tries to write outside its folder, to open a socket, to start a process or to signal another one.

This is a tripwire, not a sandbox (tier "none"): Python's audit events see what Python code asks of the interpreter.
Native code, ctypes among it, raises none of them, and reading is not watched at all. It makes careless programs fail
loudly and with a label; it does not hold a hostile one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Events of changing calls, and which of their arguments are paths that change. A link may point anywhere.
_CHANGED_PATHS = {
    "os.remove": (0,),
    "os.rename": (0, 1),
    "os.rmdir": (0,),
    "os.mkdir": (0,),
    "os.link": (0, 1),
    "os.symlink": (1,),
    "os.truncate": (0,),
    "os.chmod": (0,),
    "os.chown": (0,),
    "os.chflags": (0,),
    "os.utime": (0,),
    "os.setxattr": (0,),
    "os.removexattr": (0,),
}
_PROCESS_EVENTS = frozenset(
    {"os.fork", "os.forkpty", "os.exec", "os.posix_spawn", "os.spawn", "os.system", "subprocess.Popen", "pty.spawn"}
)
_SIGNAL_EVENTS = frozenset({"os.kill", "os.killpg"})
_WRITE_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_ALWAYS_WRITABLE = frozenset({"/dev/null"})


def install(workdir: Path | None, on_violation: Callable[[str, str], None]) -> None:
    """Watches this process for good. `on_violation(label, detail)` is called for a breach and must not return.

    workdir: the folder that it may write to; None where it may write nowhere.
    """
    folder = None if workdir is None else os.path.realpath(workdir)
    # Fetched now: a program that replaces functions of `os` later does not change what is called here.
    realpath, own_pid, fspath = os.path.realpath, os.getpid(), os.fsdecode

    def is_outside(path: Any) -> bool:
        if isinstance(path, int) or path is None:  # a descriptor that is open already, or the current folder
            return False
        if fspath(path) in _ALWAYS_WRITABLE:
            return False
        if folder is None:
            return True
        resolved = realpath(fspath(path))
        return resolved != folder and not resolved.startswith(folder + os.sep)

    where = "outside its folder" if folder is not None else "where a mixer in training may write nothing"

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if flags & _WRITE_FLAGS and is_outside(path):
                on_violation("forbidden_write", f"it tried to open {path!r} for writing, {where}")
        elif event in _CHANGED_PATHS:
            for index in _CHANGED_PATHS[event]:
                if is_outside(arguments[index]):
                    on_violation("forbidden_write", f"it tried {event} on {arguments[index]!r}, {where}")
        elif event in _PROCESS_EVENTS:
            on_violation("forbidden_call", f"it tried to start a process ({event}); a mixer may only compute")
        elif event.startswith("socket."):
            on_violation("forbidden_call", f"it tried to use a socket ({event}); a mixer may only compute")
        elif event in _SIGNAL_EVENTS and arguments[0] not in (0, own_pid):
            on_violation("forbidden_call", f"it tried to signal process {arguments[0]} ({event})")

    sys.addaudithook(hook)

"""Canaries: small attempts at what the wall must stop, made inside it as a real job before any candidate runs.

`run_canary` is the part inside. It goes past Python's audit hook, so that the wall alone is tried.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from asi_kernels.held_out_library import HELD_OUT_MODULES, library_folder

from .kernel_calls import CLONE_NEWUSER

CANARY_COMMAND = "canary"
_ALLOWED_VARIABLES = frozenset({"HOME", "LANG", "TMPDIR"})
_CONNECT_SECONDS = 1.0
# Calls with harmless arguments that are refused for the call itself: keyctl, bpf, userfaultfd, io_uring_setup, shmget.
_KERNEL_CALLS = {"x86_64": (250, 321, 323, 425, 29), "aarch64": (219, 280, 282, 425, 194)}
_libc = ctypes.CDLL(None, use_errno=True)


def run_canary(request_path: str, workdir: Path) -> int:
    """The exit status. Request: {"kind": looks | forks | memory | disk, ...}; result.json holds what was found."""
    request = json.loads(Path(request_path).read_bytes())
    result = _KINDS[request["kind"]](request)
    (workdir / "result.json").write_text(json.dumps(result))
    return 0


def _look(bait: dict[str, Any]) -> list[dict[str, Any]]:
    """Every attempt that ends by itself: [{name, held, detail}]."""
    found = []
    for name, attempt in _ATTEMPTS.items():
        got_through = attempt(bait)
        found.append({"name": name, "held": not got_through, "detail": "; ".join(got_through)[:300]})
    return found


def _secret_files(bait: dict[str, Any]) -> list[str]:
    return [f"read {path}" for path in bait["secretPaths"] if _can_open(path, os.O_RDONLY)]


def _environment(bait: dict[str, Any]) -> list[str]:
    del bait
    found = [f"the variable {name}" for name in os.environ if name not in _ALLOWED_VARIABLES]
    for pid in _visible_processes():
        with contextlib.suppress(OSError):
            if pid != os.getpid() and Path(f"/proc/{pid}/environ").read_bytes():
                found.append(f"read the environment of process {pid}")
    return found


def _held_out_text(bait: dict[str, Any]) -> list[str]:
    del bait
    library = library_folder()
    compiled = [path for path in (library / "__pycache__").glob("*.pyc") if path.name.split(".")[0] in HELD_OUT_MODULES]
    sources = [library / place for name in HELD_OUT_MODULES for place in (f"{name}.py", f"{name}/__init__.py")]
    return [f"read {path}" for path in (*sources, *compiled) if _can_read_something(path)]


def _connections(bait: dict[str, Any]) -> list[str]:
    addresses: list[tuple[int, Any]] = [
        (socket.AF_INET, ("127.0.0.1", bait["port"])),
        (socket.AF_UNIX, bait["socketPath"]),
        (socket.AF_UNIX, "\0" + bait["abstractName"]),
    ]
    found = []
    for family, address in addresses:
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_STREAM) as client:
            client.settimeout(_CONNECT_SECONDS)
            client.connect(address)
            found.append(f"reached {address!r}")
    return found


def _system_files(bait: dict[str, Any]) -> list[str]:
    found = []
    for folder in bait["protectedFolders"]:
        path = f"{folder}/.canary"
        if _can_open(path, os.O_WRONLY | os.O_CREAT):
            os.unlink(path)
            found.append(f"wrote {path}")
    return found


def _namespaces(bait: dict[str, Any]) -> list[str]:
    del bait
    pid = os.fork()
    if pid == 0:
        os._exit(1 if _libc.unshare(CLONE_NEWUSER) == 0 else 0)
    return ["made a user namespace"] if os.waitpid(pid, 0)[1] != 0 else []


def _signals(bait: dict[str, Any]) -> list[str]:
    if bait["hostPid"] == os.getpid():  # another numbering: that host cannot even be named from here
        return []
    try:
        os.kill(bait["hostPid"], 0)
    except (ProcessLookupError, PermissionError):
        return []
    return [f"may signal the host, process {bait['hostPid']}"]


def _processes(bait: dict[str, Any]) -> list[str]:
    del bait
    others = [pid for pid in _visible_processes() if pid not in (1, os.getpid())]
    return [f"sees {len(others)} other processes"] if others else []


def _core_files(bait: dict[str, Any]) -> list[str]:
    del bait
    return [] if resource.getrlimit(resource.RLIMIT_CORE)[1] == 0 else ["may leave core files"]


def _kernel_calls(bait: dict[str, Any]) -> list[str]:
    del bait
    found = []
    for number in _KERNEL_CALLS.get(os.uname().machine, ()):
        ctypes.set_errno(0)
        result = _libc.syscall(ctypes.c_long(number), *[ctypes.c_long(-1)] * 4)
        if result >= 0 or ctypes.get_errno() != 1:  # EPERM
            found.append(f"system call {number} was not refused")
    return found


_ATTEMPTS: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    "secret-files": _secret_files,
    "held-out-text": _held_out_text,
    "environment": _environment,
    "connections": _connections,
    "system-files": _system_files,
    "namespaces": _namespaces,
    "signals": _signals,
    "processes": _processes,
    "core-files": _core_files,
    "kernel-calls": _kernel_calls,
}


def _fork_many(request: dict[str, Any]) -> dict[str, int]:
    """Forks sleeping children until one is refused. Past the limit the host ends it all."""
    number = 0
    while number < request["most"]:
        pid = _libc.fork()
        if pid < 0:
            break
        if pid == 0:
            signal.pause()
        number += 1
    time.sleep(request["seconds"])
    return {"children": number}


def _spread_memory(request: dict[str, Any]) -> dict[str, int]:
    """Two children that hold a share each, smaller than the limit; together they are larger."""
    for _ in range(2):
        if _libc.fork() == 0:
            kept = bytearray(request["bytes"])
            kept[::4096] = b"x" * len(kept[::4096])
            signal.pause()
    time.sleep(request["seconds"])
    return {}


def _fill_disk(request: dict[str, Any]) -> dict[str, int]:
    written = 0
    piece = b"x" * (1 << 20)
    with open("filled", "wb", buffering=0) as file:
        while written < request["bytes"]:
            written += file.write(piece)
    time.sleep(request["seconds"])
    return {"bytes": written}


_KINDS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "looks": _look,
    "forks": _fork_many,
    "memory": _spread_memory,
    "disk": _fill_disk,
}


def _can_open(path: str, flags: int) -> bool:
    try:
        os.close(os.open(path, flags))
    except OSError:
        return False
    return True


def _can_read_something(path: Path) -> bool:
    try:
        return path.read_bytes() != b""
    except OSError:
        return False


def _visible_processes() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []

"""Tries the wall of this host with canaries, as real jobs, and says which tier it holds.

The tier is the strongest whose canaries are all held; a canary that gets through costs the tiers that promise to stop
it. Everything is tried at every start, within a second or so: nothing is taken from an earlier one.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from asi_kernels.sandbox.canaries import CANARY_COMMAND
from asi_kernels.sandbox.launch import Ground
from asi_kernels.sandbox.plan import PACKAGE_FOLDER
from asi_kernels.sandbox.wall import NUM_PROCESSES, BuiltTier, WallKind

from .job import Job
from .job_process import HostWall

_LOOKS = (
    "secret-files",
    "held-out-text",
    "environment",
    "connections",
    "system-files",
    "namespaces",
    "signals",
    "processes",
    "core-files",
    "kernel-calls",
)
# What a tier promises to stop.
_PROMISES: dict[BuiltTier, tuple[str, ...]] = {
    "S2": (*_LOOKS, "many-processes", "memory-of-a-tree", "full-disk"),
    "S1": (*_LOOKS, "many-processes", "full-disk"),
    "S0L": tuple(name for name in _LOOKS if name != "processes"),
    "S0P": ("system-files", "signals", "core-files"),
    "none": (),
}
_PATIENCE_SECONDS = 10.0
_MEMORY_BYTES = 192 << 20
_DISK_BYTES = 8 << 20
_POLL_SECONDS = 0.004


def probe(ground: Ground) -> tuple[HostWall, dict[str, Any]]:
    """The wall that jobs of this host get, and the facts for the contracts (sandboxFacts)."""
    wall = HostWall(ground.wall_kind(), ground.cgroups)
    missing = ground.missing
    canaries = [] if wall.kind.tier == "none" else _try_all(wall)
    let_through = [canary["name"] for canary in canaries if not canary["held"]]
    tier = _held_tier(wall.kind.tier, let_through)
    if tier != wall.kind.tier:
        details = "; ".join(f"{canary['name']}: {canary['detail']}" for canary in canaries if not canary["held"])
        missing = f"canaries got through the wall of {wall.kind.tier} ({details})"
        wall = wall.lowered(WallKind(tier, wall.kind.uid if tier != "none" else None))
    return wall, {
        "tier": tier,
        "kernel": platform.release(),
        "bubblewrap": ground.bubblewrap if ground.wrapped else None,
        "cgroups": None if wall.hierarchies is None else wall.hierarchies.version,
        "landlockAbi": ground.landlock_abi,
        "uid": os.getuid() if wall.kind.uid is None else wall.kind.uid,
        "canaries": canaries,
        "missing": "" if tier == "S2" else missing,
    }


def _held_tier(built: BuiltTier, let_through: list[str]) -> BuiltTier:
    """A wall with namespaces that leaks does not become one of Landlock: what is left is S1, or nothing."""
    candidates: tuple[BuiltTier, ...] = {"S2": ("S2", "S1"), "S1": ("S1",), "S0L": ("S0L",), "S0P": ("S0P",)}.get(
        built, ()
    )
    return next((tier for tier in candidates if not set(_PROMISES[tier]) & set(let_through)), "none")


def _try_all(wall: HostWall) -> list[dict[str, Any]]:
    folder = Path(tempfile.mkdtemp(prefix="asi-canary-"))
    os.chmod(folder, 0o711)
    try:
        return [
            *_looks(wall, folder),
            _ended_by(wall, folder, "many-processes", "pids_limit", {"kind": "forks", "most": 3 * NUM_PROCESSES}),
            _ended_by(
                wall, folder, "memory-of-a-tree", "oom_host", {"kind": "memory", "bytes": _MEMORY_BYTES * 2 // 3}
            ),
            _ended_by(wall, folder, "full-disk", "disk_limit", {"kind": "disk", "bytes": 2 * _DISK_BYTES}),
        ]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _looks(wall: HostWall, folder: Path) -> list[dict[str, Any]]:
    with _bait(folder) as bait:
        end, workdir = _run(wall, folder, "looks", {"kind": "looks", **bait})
    try:
        found = json.loads((workdir / "result.json").read_bytes())
    except (OSError, ValueError):
        detail = f"the canaries did not run: {end['label']}: {end['detail']}{end['logTail'][-300:]}"
        return [{"name": name, "held": False, "detail": detail[:300]} for name in _LOOKS]
    return [{"name": each["name"], "held": each["held"], "detail": each["detail"]} for each in found]


def _ended_by(wall: HostWall, folder: Path, name: str, label: str, request: dict[str, Any]) -> dict[str, Any]:
    end, _ = _run(wall, folder, name, {**request, "seconds": 2.0})
    held = end["label"] == label
    return {"name": name, "held": held, "detail": "" if held else f"ended with {end['label']}: {end['detail'][:200]}"}


def _run(wall: HostWall, folder: Path, name: str, request: dict[str, Any]) -> tuple[dict[str, Any], Path]:
    """One canary job to its end. The finished event, and its work folder."""
    workdir = folder / name
    workdir.mkdir(mode=0o755)
    path = workdir / "request.json"
    path.write_text(json.dumps(request))
    limits = {
        "wallSeconds": _PATIENCE_SECONDS,
        "idleSeconds": _PATIENCE_SECONDS,
        "memoryBytes": _MEMORY_BYTES if request["kind"] == "memory" else 3 << 30,
        "logBytes": 1 << 20,
    }
    job_request = {"id": name, "command": CANARY_COMMAND, "requestPath": str(path), "workdir": str(workdir)}
    try:
        job = Job({**job_request, "channel": None, "limits": limits}, wall, largest_folder_bytes=_DISK_BYTES)
    except OSError as error:
        return {"label": "infra", "detail": str(error), "logTail": ""}, workdir
    while not job.has_ended():
        job.take_log()
        job.take_progress()
        job.check_limits(time.monotonic())
        time.sleep(_POLL_SECONDS)
    return job.conclude()[1], workdir


@contextmanager
def _bait(folder: Path) -> Iterator[dict[str, Any]]:
    """A secret file and listening sockets in reach of the host, out of reach of its jobs."""
    secret = folder / "secret"
    secret.write_text("canary")
    abstract = f"asi-canary-{os.getpid()}"
    with socket.create_server(("127.0.0.1", 0)) as tcp, _listener(f"{folder}/s") as _, _listener("\0" + abstract) as _:
        yield {
            "secretPaths": [str(secret), "/etc/shadow", "/root/.ssh", "/var/run/docker.sock"],
            "port": tcp.getsockname()[1],
            "socketPath": f"{folder}/s",
            "abstractName": abstract,
            "protectedFolders": ["/usr", PACKAGE_FOLDER],
            "hostPid": os.getpid(),
        }


@contextmanager
def _listener(address: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(address)
        if not address.startswith("\0"):
            os.chmod(address, 0o666)
        listener.listen(1)
        yield listener

"""Starts the host inside bubblewrap where that works, or as it is where it does not, and says which and why.

The outer wall: a root made from a list, no network, an environment with nothing in it, its own session; it dies with
the process that started it. Under root process ids are those of the machine, so that all speak of a process by one
number; each job has a process-id namespace of its own inside.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from asi_kernels.held_out_library import hidden_paths

from . import kernel_calls as kernel
from .cgroups import Hierarchies, make_slot_folders
from .landlock import LEAST_ABI, landlock_abi
from .plan import DEVICES, PACKAGE_FOLDER, runtime_paths
from .slots import NoSlot, Slot, take_slot
from .wall import WALL_FOLDER, BuiltTier, WallKind

_BWRAP_PLACES = ("/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap")
_TRIAL_SECONDS = 20
# What root's host keeps inside: to make namespaces, to hand files over, to drop to the user of its slot, to end it.
_ROOT_CAPABILITIES = ("SYS_ADMIN", "SETUID", "SETGID", "SETPCAP", "CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL")
_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "PYTHONPATH": PACKAGE_FOLDER,
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
    "PYTHONNOUSERSITE": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "HF_HUB_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
_INSTALL = "install bubblewrap (Debian and Ubuntu: sudo apt-get install bubblewrap)"


@dataclass(frozen=True)
class Ground:
    """What the launcher found and made; handed to the host as JSON."""

    wrapped: bool
    bubblewrap: str | None
    uid: int | None
    """User that candidate code is to become; None: the host's own."""
    hierarchies: dict[str, Any] | None
    landlock_abi: int | None
    missing: str
    slot: str | None = None
    strongest: BuiltTier = "S2"
    """No stronger wall is tried."""

    @property
    def cgroups(self) -> Hierarchies | None:
        return None if self.hierarchies is None else Hierarchies(**self.hierarchies)

    def wall_kind(self) -> WallKind:
        """The strongest wall that can be tried here. What it holds is proved by the canaries."""
        if self.wrapped:
            return WallKind("S2" if self.hierarchies is not None else "S1", self.uid)
        landlock = (self.landlock_abi or 0) >= LEAST_ABI and kernel.is_known_machine()
        if landlock and self.strongest not in ("S0P", "none"):
            return WallKind("S0L", self.uid)
        if self.uid is not None and self.strongest != "none":
            return WallKind("S0P", self.uid)
        return WallKind("none", None)

    def as_json(self) -> str:
        return json.dumps(asdict(self))


def read_ground(text: str) -> Ground:
    return Ground(**json.loads(text))


def launch(command: list[str], *, writable: list[str], readable: list[str], strongest: BuiltTier = "S2") -> Ground:
    """Replaces this process by `python -m asi_kernels.host <command> --inside <ground>` behind the outer wall.

    Returns only where there is none: the ground to go on with, in this process. strongest: try no stronger wall.
    """
    if sys.platform != "linux":
        missing = f"{platform.system()} has no sandbox that is supported here; on Linux {_INSTALL}"
        return Ground(False, None, None, None, None, missing)
    slot = _slot()
    hierarchies = None if slot is None or strongest != "S2" else make_slot_folders(slot.name)
    abi = landlock_abi()
    bwrap = next((path for path in _BWRAP_PLACES if os.access(path, os.X_OK)), None)
    version = None if bwrap is None else _version(bwrap)
    if strongest in ("S2", "S1"):
        problem = _problem_with(bwrap, version, writable)
    else:
        problem = f"the host was started for {strongest} at most"
    if problem is None and bwrap is not None:
        arguments = _arguments(slot, hierarchies, writable, readable)
        problem = _try(bwrap, arguments)
        if problem is None:
            ground = Ground(
                wrapped=True,
                bubblewrap=version,
                uid=None if slot is None else slot.uid,
                hierarchies=None if hierarchies is None else hierarchies.as_json(),
                landlock_abi=abi,
                missing="" if hierarchies is not None else _no_cgroups(),
                slot=None if slot is None else slot.name,
            )
            _replace(bwrap, arguments, [*command, "--inside", ground.as_json()], slot)
    uid = slot.uid if slot is not None and writable and _is_open_to_all(writable + readable) else None
    return Ground(
        wrapped=False,
        bubblewrap=version,
        uid=uid,
        hierarchies=None,
        landlock_abi=abi,
        missing=problem or "",
        slot=None if slot is None else slot.name,
        strongest=strongest,
    )


def _slot() -> Slot | None:
    if os.geteuid() != 0:
        return None
    try:
        return take_slot()
    except (NoSlot, OSError):
        return None


def _problem_with(bwrap: str | None, version: str | None, writable: list[str]) -> str | None:
    if not kernel.is_known_machine():
        return f"the system calls of {platform.machine()} are not known here; x86_64 and aarch64 are"
    if bwrap is None:
        return f"bubblewrap is not installed: {_INSTALL}"
    if version is None:
        return f"{bwrap} does not tell its version: {_INSTALL}"
    if os.stat(bwrap).st_mode & 0o4000:
        return f"{bwrap} is setuid root, which is not trusted: sudo chmod u-s {bwrap}"
    if not writable:
        return "no work folder was named to the host, so that no root could be made for it"
    return None


def _version(bwrap: str) -> str | None:
    result = subprocess.run([bwrap, "--version"], capture_output=True, text=True, env={}, check=False)
    found = re.fullmatch(r"bubblewrap (\d+\.\d+\.\d+)\s*", result.stdout)
    return None if found is None else found[1]


def _arguments(
    slot: Slot | None, hierarchies: Hierarchies | None, writable: list[str], readable: list[str]
) -> list[str]:
    arguments = ["--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", "--hostname", "host"]
    arguments += ["--new-session", "--die-with-parent"]
    if slot is None:
        # Back from the namespace of a job leads only a way into one that belongs to the wall's own user namespace.
        arguments += ["--unshare-user", "--unshare-pid", "--cap-add", "CAP_SYS_ADMIN"]
    else:
        for name in _ROOT_CAPABILITIES:
            arguments += ["--cap-add", f"CAP_{name}"]
    # Before everything that may lie below it.
    arguments += ["--tmpfs", "/tmp"]
    for path in runtime_paths():
        arguments += ["--symlink", os.readlink(path), path] if os.path.islink(path) else ["--ro-bind", path, path]
    for path in hidden_paths():
        arguments += ["--tmpfs", path, "--remount-ro", path] if os.path.isdir(path) else ["--ro-bind", os.devnull, path]
    arguments += ["--proc", "/proc"] if slot is None else ["--bind", "/proc", "/proc"]
    # Not --dev: for its terminals bubblewrap goes one user namespace deeper, without rights over the outer one.
    arguments += ["--tmpfs", "/dev"]
    for name in DEVICES:
        arguments += ["--dev-bind", f"/dev/{name}", f"/dev/{name}"]
    arguments += ["--symlink", "/proc/self/fd", "/dev/fd", "--dir", WALL_FOLDER]
    for folder in [] if hierarchies is None else hierarchies.folders():
        arguments += ["--bind", folder, folder]
    for path in readable:
        arguments += ["--ro-bind-try", path, path]
    for path in writable:
        arguments += ["--bind", path, path]
    for name, value in _ENVIRONMENT.items():
        arguments += ["--setenv", name, value]
    return [*arguments, "--remount-ro", "/", "--chdir", PACKAGE_FOLDER]


def _try(bwrap: str, arguments: list[str]) -> str | None:
    """Runs nothing behind that wall; why it cannot be, or None."""
    code = "import ctypes, os, sys; sys.exit(ctypes.CDLL(None).unshare(0x20020000) != 0)"
    descriptor = _as_file(arguments)
    try:
        result = subprocess.run(
            [bwrap, "--args", str(descriptor), "--", sys.executable, "-I", "-S", "-c", code],
            capture_output=True,
            text=True,
            env={},
            pass_fds=[descriptor],
            timeout=_TRIAL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"bubblewrap did not start within {_TRIAL_SECONDS} s"
    finally:
        os.close(descriptor)
    if result.returncode == 0:
        return None
    said = result.stderr.strip().splitlines()
    reason = said[-1] if said else "no further namespace can be made inside it"
    return f"bubblewrap is installed and does not work ({reason[:300]}); {_remedy_for_namespaces()}"


def _replace(bwrap: str, arguments: list[str], command: list[str], slot: Slot | None) -> None:
    descriptor = _as_file(arguments)
    os.set_inheritable(descriptor, True)
    if slot is not None:  # the lock lives as long as the host does
        os.set_inheritable(slot.descriptor, True)
    program = [sys.executable, "-m", "asi_kernels.host", *command]
    # With an environment of its own: what bubblewrap was started with stays readable in its /proc entry.
    os.execve(bwrap, [bwrap, "--args", str(descriptor), "--", *program], {})


def _as_file(arguments: list[str]) -> int:
    """An open file with the arguments, so that they do not show in a command line."""
    descriptor = os.memfd_create("arguments")
    os.write(descriptor, b"".join(os.fsencode(argument) + b"\0" for argument in arguments))
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _is_open_to_all(used: list[str]) -> bool:
    """Whether another user reaches the interpreter, this package and the named folders; not so below a closed home."""
    folders = {PACKAGE_FOLDER, os.path.realpath(sys.executable), sys.prefix, *used}
    return all(
        os.path.exists(part) and os.stat(part).st_mode & 0o001
        for folder in folders
        for part in (Path(folder), *Path(folder).resolve().parents)
    )


def _remedy_for_namespaces() -> str:
    restricted = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
    if restricted.exists() and restricted.read_text().strip() == "1":
        return (
            "Ubuntu restricts user namespaces; give bwrap its AppArmor profile: sudo apt-get install apparmor-profiles "
            "&& sudo ln -s /usr/share/apparmor/extra-profiles/bwrap-userns-restrict /etc/apparmor.d/ "
            "&& sudo systemctl reload apparmor"
        )
    return "allow user namespaces (sudo sysctl user.max_user_namespaces=15000), or start the workers as root"


def _no_cgroups() -> str:
    if os.geteuid() == 0:
        return "no cgroup is writable here: mount cgroup v2 read-write with its memory and pids controllers"
    return (
        "limits of a whole process tree need a cgroup of one's own, which is made as root: start the workers as root "
        "(candidate code then runs under a user id without rights)"
    )

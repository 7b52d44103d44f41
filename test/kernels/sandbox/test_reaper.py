"""A host that is killed at any moment leaves nothing alive, and the next one removes what is left on disk."""

import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from asi_kernels.held_out_library import hidden_paths
from asi_kernels.sandbox import slots
from asi_kernels.sandbox.cgroups import slot_folders
from asi_kernels.sandbox.plan import PACKAGE_FOLDER
from asi_kernels.sandbox.wall import WALL_FOLDER

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0 or shutil.which("bwrap") is None,
    reason="slots are root's, and the outer wall is bubblewrap's",
)
# `npm run test:hostile` sets 100.
NUM_KILLS = int(os.environ.get("ASI_TEST_KILLS", "12"))


def start_probe(folder: Path) -> subprocess.Popen[bytes]:
    """A host that runs its canaries as jobs, and nothing else."""
    command = [sys.executable, "-m", "asi_kernels.host", "--probe", "--work", str(folder)]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": PACKAGE_FOLDER}
    return subprocess.Popen(command, cwd=PACKAGE_FOLDER, env=environment, stdout=subprocess.DEVNULL)


def left_behind() -> list[str]:
    """Processes and cgroups of jobs in slots that no living host holds, and mounts of walls in this tree."""
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    found = [f"mount {path}" for path in mounts if WALL_FOLDER in path or path in hidden_paths()]
    for number in range(slots._NUM_SLOTS):
        if not slots._lock_path(number).exists():
            break
        descriptor = slots._try_lock(number)
        if descriptor is None:
            continue
        found += [f"process {pid} of slot {number}" for pid in slots.processes_of(slots.FIRST_UID + number)]
        for name, folder in slot_folders():
            if name == f"slot-{number}":
                found += [f"cgroup {entry.path}" for entry in os.scandir(folder) if entry.is_dir()]
        os.close(descriptor)
    return found


def test_nothing_is_left_of_hosts_that_were_killed_at_any_moment(tmp_path: Path) -> None:
    # Seeded: half of the kills fall into the first 8 ms of something, half anywhere in the life of the jobs.
    draw = random.Random(4)
    for index in range(NUM_KILLS):
        host = start_probe(tmp_path)
        time.sleep(draw.uniform(0, 0.008) if index % 3 == 0 else draw.uniform(0.1, 1.5))
        host.kill()
        host.wait(timeout=30)
    assert start_probe(tmp_path).wait(timeout=60) == 0
    # The kernel takes a moment to take killed processes off.
    deadline = time.monotonic() + 10
    while (found := left_behind()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert found == []

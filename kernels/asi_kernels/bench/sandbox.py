"""`python -m asi_kernels.bench.sandbox [--jobs 40]`: what the wall costs a job, by tier.

Wall milliseconds from the request of a job that does nothing to its end, p50 and p95, and CPU milliseconds of this
process and its children, for the tiers that this machine has. The baseline is tier none: a fork of the warm host.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from asi_kernels.sandbox.plan import PACKAGE_FOLDER

_TIERS = ("none", "S0L", "S1", "S2")
_NOTHING = "import os\n\nos._exit(0)\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--jobs", type=int, default=40, help="jobs a tier")
    options = parser.parse_args()
    print("tier   p50 ms  p95 ms  CPU ms a job")
    for tier in _TIERS:
        with tempfile.TemporaryDirectory(prefix="asi-bench-") as folder:
            have, walls, cpu_ms = _measure(tier, Path(folder), options.jobs)
        if have == tier:
            p95 = statistics.quantiles(walls, n=20)[-1]
            print(f"{tier:5}{statistics.median(walls):8.1f}{p95:8.1f}{cpu_ms:10.1f}", flush=True)
        else:
            print(f"{tier:5}  not on this machine, which has {have}", flush=True)
    return 0


def _measure(tier: str, folder: Path, num_jobs: int) -> tuple[str, list[float], float]:
    """(tier that the host has, wall milliseconds of each job, CPU milliseconds a job)."""
    command = [sys.executable, "-m", "asi_kernels.host", "--work", str(folder), "--at-most", tier]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": PACKAGE_FOLDER, "OMP_NUM_THREADS": "1"}
    pipe = subprocess.PIPE
    host = subprocess.Popen(command, cwd=PACKAGE_FOLDER, env=environment, stdin=pipe, stdout=pipe)
    assert host.stdin is not None and host.stdout is not None
    ready = json.loads(host.stdout.readline())
    before = _cpu_ticks(ready["pid"])
    walls = []
    for index in range(num_jobs):
        workdir = folder / str(index)
        workdir.mkdir()
        (workdir / "mixer.py").write_text(_NOTHING)
        request_path = workdir / "request.json"
        request_path.write_text("{}")
        limits = {"wallSeconds": 20, "idleSeconds": 20, "memoryBytes": 3 << 30, "logBytes": 1 << 20}
        # A request that cannot be used ends the job before torch does anything: what is left is the start and the end.
        job = {"op": "run", "id": str(index), "command": "train", "requestPath": str(request_path)}
        started = time.perf_counter()
        host.stdin.write(
            json.dumps({**job, "workdir": str(workdir), "channel": None, "limits": limits}).encode() + b"\n"
        )
        host.stdin.flush()
        while json.loads(host.stdout.readline())["event"] != "finished":
            pass
        walls.append(1000 * (time.perf_counter() - started))
    cpu_ms = 1000 * (_cpu_ticks(ready["pid"]) - before) / os.sysconf("SC_CLK_TCK") / num_jobs
    host.stdin.close()
    host.wait(timeout=30)
    return str(ready["sandbox"]["tier"]), walls, cpu_ms


def _cpu_ticks(pid: int) -> int:
    """User and system time of a process and of its children that have ended (proc(5), fields 14 to 17)."""
    fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    return sum(int(field) for field in fields[11:15])


if __name__ == "__main__":
    sys.exit(main())

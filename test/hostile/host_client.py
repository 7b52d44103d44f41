"""A host as the workers start it, for programs that are tried outside a campaign: one job at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parents[2] / "kernels"


class Host:
    """`python -m asi_kernels.host` with these arguments. `facts`: what its sandbox is. `secret`: what it holds in its
    environment. Raises HostDied when it ends by itself.
    """

    def __init__(self, arguments: list[str], *, secret: str = "") -> None:
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(PACKAGE), "OMP_NUM_THREADS": "1", "SECRET": secret}
        pipe = subprocess.PIPE
        command = [sys.executable, "-m", "asi_kernels.host", *arguments]
        self.process = subprocess.Popen(command, cwd=PACKAGE, env=environment, stdin=pipe, stdout=pipe)
        self.facts: dict[str, Any] = self._next()["sandbox"]

    def run(
        self,
        job_id: str,
        command: str,
        workdir: Path,
        limits: dict[str, float],
        channel: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """The last event of a job whose request lies in its work folder: finished or refused."""
        job = {"op": "run", "id": job_id, "command": command, "requestPath": str(workdir / "request.json")}
        request = {**job, "workdir": str(workdir), "channel": channel, "limits": limits}
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()
        while (event := self._next())["event"] not in ("finished", "refused") or event["id"] != job_id:
            pass
        return event

    def cancel(self, job_id: str) -> None:
        """Ends a running job; from another thread, while `run` waits for it."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"op": "cancel", "id": job_id}).encode() + b"\n")
        self.process.stdin.flush()

    def _next(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise HostDied("the host died: that is a program that was not contained")
        event: dict[str, Any] = json.loads(line)
        return event

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=30)


class HostDied(Exception):
    """The host ended by itself."""

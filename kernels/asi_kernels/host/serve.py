"""`python -m asi_kernels host`: one JSON request a line on stdin, one event a line on stdout (contracts/trial.ts).

It has one thread, so that forking is safe, and keeps torch and this package imported, so that a job costs a fork. It
goes on after whatever a job does; it ends its jobs and itself when stdin ends or SIGTERM comes. Before it takes the
first job it tries its own wall (probe.py).
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

from asi_kernels.requests import parse_json, schema_problem
from asi_kernels.sandbox.launch import Ground, launch

from .job import Job
from .job_process import HostWall
from .probe import probe
from .process_tree import adopt_orphans, kill_orphans
from .warm_up import warm_up

_TICK_SECONDS = 0.2
_ENDING_TICK_SECONDS = 0.01
_LONGEST_REQUEST_BYTES = 1 << 20


def serve(ground: Ground | None = None) -> int:
    """Runs until stdin ends; returns the exit status. Without a ground no folder is known that a root could hold."""
    if ground is None:
        ground = launch([], writable=[], readable=[])
    sys.stdout.flush()
    events = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints must not look like an event
    # Ctrl-C reaches the whole terminal group; whoever started the host decides when it ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _stop)
    adopt_orphans()
    torch_version = warm_up()
    wall, facts = probe(ground)
    host = _Host(events, wall)
    try:
        host.send(
            {
                "event": "ready",
                "pid": os.getpid(),
                "torchVersion": torch_version,
                "device": "cpu",
                "sandbox": facts,
            }
        )
        host.run()
    except (BrokenPipeError, _Stopped):
        pass
    finally:
        host.end_jobs()
    return 0


class _Stopped(Exception):
    """SIGTERM came."""


def _stop(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise _Stopped


class _Host:
    """The loop over stdin and the pipes of the running jobs."""

    def __init__(self, events: int, wall: HostWall) -> None:
        self._events = events
        self._wall = wall
        self._killed: set[str] = set()
        self._jobs: dict[str, Job] = {}
        self._selector = selectors.DefaultSelector()
        self._partial = b""
        self._open = True

    def run(self) -> None:
        os.set_blocking(0, False)
        self._selector.register(0, selectors.EVENT_READ, ("stdin", None))
        while self._open:
            for key, _ in self._selector.select(self._patience_seconds()):
                source, job = key.data
                if source == "stdin":
                    self._read_requests()
                else:
                    self._attend(source, job, key.fd)
            now = time.monotonic()
            for job in list(self._jobs.values()):
                if job.has_ended():
                    self._finish(job)
                else:
                    job.check_limits(now)
                    self._send_use(job, now)

    def _patience_seconds(self) -> float | None:
        """How long to wait for input: for ever without jobs; hardly at all for a child whose pipes have just closed."""
        if not self._jobs:
            return None
        num_open = len(self._selector.get_map()) - 1
        return _TICK_SECONDS if num_open == 2 * len(self._jobs) else _ENDING_TICK_SECONDS

    def send(self, event: dict[str, Any]) -> None:
        content = json.dumps(event, allow_nan=False).encode() + b"\n"
        while content:
            content = content[os.write(self._events, content) :]

    def end_jobs(self) -> None:
        for job in self._jobs.values():
            job.stop("cancelled", "the host was told to end")
        for job in self._jobs.values():
            while not job.has_ended():
                time.sleep(_ENDING_TICK_SECONDS)
            job.conclude()
        kill_orphans(set())

    def _read_requests(self) -> None:
        try:
            data = os.read(0, 1 << 16)
        except BlockingIOError:
            return
        if not data:
            self._open = False
            return
        *lines, self._partial = (self._partial + data).split(b"\n")
        if len(self._partial) > _LONGEST_REQUEST_BYTES:
            self._partial = b""
            self._refuse(None, f"a line has more than {_LONGEST_REQUEST_BYTES:,} bytes; requests are short")
        for line in lines:
            if line.strip():
                self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            request = parse_json(line)
        except ValueError as error:
            self._refuse(None, f"the line is not JSON: {error}")
            return
        problem = schema_problem("host-request", request)
        if problem is not None:
            job_id = request.get("id") if isinstance(request, dict) else None
            self._refuse(job_id if isinstance(job_id, str) else None, problem)
        elif request["op"] == "run":
            self._start(request)
        elif request["op"] == "ping":
            self.send({"event": "pong"})
        elif (job := self._jobs.get(request["id"])) is not None:
            job.stop("cancelled", "it was cancelled by request")
        else:
            self._refuse(request["id"], f"id is {json.dumps(request['id'])}, which is no running job")

    def _start(self, request: dict[str, Any]) -> None:
        job_id = request["id"]
        if job_id in self._jobs:
            self._refuse(job_id, f"id is {json.dumps(job_id)}, which is running already")
            return
        if not Path(request["workdir"]).is_dir():
            self._refuse(job_id, f"workdir is {json.dumps(request['workdir'])}, which is no folder; make it first")
            return
        try:
            job = Job(request, self._wall, was_killed=job_id in self._killed)
        except OSError as error:
            self._refuse(job_id, f"the job could not be started: {error}")
            return
        self._jobs[job_id] = job
        self._selector.register(job.log_descriptor, selectors.EVENT_READ, ("log", job))
        self._selector.register(job.progress_descriptor, selectors.EVENT_READ, ("progress", job))
        self.send({"event": "started", "id": job_id, "pid": job.pid})

    def _attend(self, source: str, job: Job, descriptor: int) -> None:
        if source == "log":
            is_open = job.take_log()
        else:
            is_open, lines = job.take_progress()
            self._send_progress(job, lines)
        if not is_open:
            self._selector.unregister(descriptor)

    def _finish(self, job: Job) -> None:
        for descriptor in (job.log_descriptor, job.progress_descriptor):
            with contextlib.suppress(KeyError):
                self._selector.unregister(descriptor)
        del self._jobs[job.id]
        # Nothing is read while anything that could change it is alive.
        kill_orphans({other.pid for other in self._jobs.values()})
        lines, finished = job.conclude()
        if job.was_killed_from_outside:
            self._killed.add(job.id)
        self._send_progress(job, lines)
        self.send(finished)

    def _send_use(self, job: Job, now: float) -> None:
        """Told while it runs: who asked for the job knows what it used if this host dies."""
        cpu_seconds = job.use_to_tell(now)
        if cpu_seconds is not None:
            self.send({"event": "used", "id": job.id, "cpuSeconds": cpu_seconds})

    def _send_progress(self, job: Job, lines: list[dict[str, Any]]) -> None:
        for line in lines:
            self.send({"event": "progress", "id": job.id, "progress": line})

    def _refuse(self, job_id: str | None, message: str) -> None:
        self.send({"event": "refused", "id": job_id, "message": message})

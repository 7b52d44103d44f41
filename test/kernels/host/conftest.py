"""A running host and a way to give it jobs."""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asi_kernels.host.process_tree import descendants
from asi_kernels.judge.channels import Channels
from asi_kernels.judge.wire import Asker, Kind
from asi_kernels.requests import schema_problem

PACKAGE = Path(__file__).parents[3] / "kernels"
_PATIENCE_SECONDS = 120
LIMITS = {"wallSeconds": 60, "idleSeconds": 60, "memoryBytes": 3 << 30, "logBytes": 1 << 20}


class HostProcess:
    """`python -m asi_kernels host` and its events. Every event is held against the schema."""

    def __init__(self, folder: Path, strongest: str = os.environ.get("ASI_TEST_TIER", "S2")) -> None:
        environment = {"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1", "SECRET_TOKEN": "do-not-inherit"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "asi_kernels.host", "--work", str(folder), "--at-most", strongest],
            cwd=PACKAGE,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.told_seconds: dict[str, list[float]] = {}
        """What jobs had used while they ran, by id; how often that is told depends on the machine."""
        self._events: queue.Queue[dict[str, Any] | None] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        self.ready = self.next_event()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._events.put(json.loads(line))
        self._events.put(None)

    def send(self, request: dict[str, Any] | bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write((request if isinstance(request, bytes) else json.dumps(request).encode()) + b"\n")
        self.process.stdin.flush()

    def start(
        self, job_id: str, workdir: Path, command: str = "train", channel: dict[str, str] | None = None, **limits: float
    ) -> None:
        path = str(workdir / "request.json")
        job = {"op": "run", "id": job_id, "command": command, "requestPath": path, "workdir": str(workdir)}
        self.send({**job, "channel": channel, "limits": LIMITS | limits})

    def next_event(self) -> dict[str, Any]:
        while True:
            event = self._events.get(timeout=_PATIENCE_SECONDS)
            assert event is not None, "the host has ended"
            assert schema_problem("host-event", event) is None, event
            if event["event"] != "used":
                return event
            self.told_seconds.setdefault(event["id"], []).append(event["cpuSeconds"])

    def wait_for(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while not wanted(event := self.next_event()):
            pass
        return event

    def end_of(self, job_id: str) -> dict[str, Any]:
        return self.wait_for(lambda event: event["event"] in ("finished", "refused") and event["id"] == job_id)

    def run(self, job_id: str, workdir: Path, command: str = "train", **limits: float) -> dict[str, Any]:
        self.start(job_id, workdir, command, **limits)
        return self.end_of(job_id)

    def close(self) -> int:
        """Lets it end by itself; its exit status. One that does not says where it hangs, in stderr and here."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.end_status()

    def end_status(self) -> int:
        try:
            return self.process.wait(timeout=_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            pids = [self.process.pid, *descendants(self.process.pid)]
            states = [_state_of(pid) for pid in pids]
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGABRT)
            pytest.fail("the host does not end:\n" + "\n".join(states))


def _state_of(pid: int) -> str:
    """What a process is and waits for in the kernel, as far as that can be read."""
    found = [str(pid)]
    for name in ("cmdline", "wchan", "syscall", "stack"):
        with contextlib.suppress(OSError):
            found.append(Path(f"/proc/{pid}/{name}").read_bytes()[:600].replace(b"\0", b" ").decode(errors="replace"))
    return " | ".join(found)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostProcess]:
    """One host for all tests of a module: that it outlives every program is itself part of the tests."""
    host = HostProcess(tmp_path_factory.getbasetemp())
    yield host
    assert host.process.poll() is None, "the host died of a job"
    assert host.close() == 0


@pytest.fixture
def own_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostProcess]:
    """A host that a test may kill."""
    host = HostProcess(tmp_path_factory.getbasetemp())
    yield host
    if host.process.poll() is None:
        host.process.kill()
    host.end_status()


@pytest.fixture(scope="module", params=["S2", "S1", "S0L"])
def walled_host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostProcess]:
    """A host at each tier that closes files, where this machine has it."""
    host = HostProcess(tmp_path_factory.getbasetemp(), request.param)
    try:
        facts = host.ready["sandbox"]
        if facts["tier"] != request.param or facts["landlockAbi"] == 0:
            pytest.skip(f"the sandbox here is {facts['tier']} with version {facts['landlockAbi']} of Landlock")
        yield host
    finally:
        host.close()


@pytest.fixture
def ask_host(tmp_path: Path) -> Iterator[Callable[[HostProcess, Path, dict[str, Any]], dict[str, Any]]]:
    """ask_host(host, workdir, answer_request): has the request answered as a judge would, with one question for the
    first snapshot of each task. The result that the process left.
    """
    channels = Channels(tmp_path / "channels")

    def ask(host: HostProcess, workdir: Path, request: dict[str, Any]) -> dict[str, Any]:
        (workdir / "request.json").write_text(json.dumps(request))
        paths, ends = channels.make("asks"), channels.ends("asks")
        assert ends is not None
        asker = Asker(ends[0], ends[1], _PATIENCE_SECONDS)
        host.start(f"answers-{workdir.name}", workdir, "answer", channel=paths["prefixes"])
        asker.await_hello()
        tokens = np.arange(16).reshape(2, 8)
        for index, task in enumerate(request["rung"]["tasks"]):
            asker.ask(Kind.LAST, (index, 0), tokens, 256 if task["kind"] == "bytes" else 16)
        asker.end()
        end = host.end_of(f"answers-{workdir.name}")
        assert end["label"] is None, end
        return json.loads((workdir / "result.json").read_text())

    yield ask
    channels.close()

"""One running job as the host sees it: its child, its pipes, its limits, and how it ended.

Labels come from what the host saw: which limit it enforced, which status or signal ended the child, what lies in the
folder. The text of the log decides nothing.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Any, NamedTuple

from asi_kernels.commands import COMMANDS, CandidateCode
from asi_kernels.programs import DETAIL_LIMIT
from asi_kernels.requests import RESULT_NAME, parse_json, schema_problem
from asi_kernels.sandbox.canaries import CANARY_COMMAND
from asi_kernels.sandbox.plan import plan_of
from asi_kernels.sandbox.wall import NUM_PROCESSES, WallKind, give_folder

from .channel import Channel
from .child import STATUS_BAD_REQUEST, STATUS_OUR_FAULT, ChildJob
from .job_process import HostWall, JobProcess
from .log_intake import LogIntake
from .process_tree import num_kernel_oom_kills
from .result_intake import refuse_result

_LONGEST_PROGRESS_BYTES = 16 << 10
_MOST_PROGRESS_LINES = 200_000
_READ_BYTES = 1 << 16
_MOST_DRAINED_READS = 256
_FOLDER_SCAN_SECONDS = 0.4
LARGEST_FOLDER_BYTES = 1 << 30
_MOST_FOLDER_ENTRIES = 5_000
_LARGEST_REQUEST_BYTES = 16 << 20
_USE_TOLD_SECONDS = 1.0
_OUR_STATUSES = frozenset({STATUS_BAD_REQUEST, STATUS_OUR_FAULT})


class End(NamedTuple):
    """Why a job ended; label None is a good end."""

    label: str | None
    detail: str


class Job:
    """Forks the child when made.

    Raises OSError when the machine cannot give it a process, a wall, pipes or a log file, or when its channel is no
    FIFO. was_killed: an earlier attempt of the same job was ended by a SIGKILL that nobody here sent.
    """

    def __init__(
        self,
        request: dict[str, Any],
        wall: HostWall,
        *,
        was_killed: bool = False,
        largest_folder_bytes: int = LARGEST_FOLDER_BYTES,
    ) -> None:
        self.id: str = request["id"]
        self.command: str = request["command"]
        self._limits: dict[str, float] = request["limits"]
        self._workdir = Path(request["workdir"]).resolve()
        # Our own commands touch no candidate's code; they keep to the outer wall.
        is_canary = self.command == CANARY_COMMAND
        self._candidate_code = CandidateCode.BESIDE if is_canary else COMMANDS[self.command].candidate_code
        is_ours = self._candidate_code is CandidateCode.NOWHERE
        self._wall = wall = wall.lowered(WallKind("none", None)) if is_ours else wall
        self._was_killed = was_killed
        self._largest_folder_bytes = largest_folder_bytes
        self.was_killed_from_outside = False
        self._end: End | None = None
        self._fault = ""
        self._partial = b""
        self._num_progress_lines = 0
        self._last_told, self._told_cpu_seconds = time.monotonic(), 0.0
        self._oom_kills = num_kernel_oom_kills()
        _remove_stale_result(self._workdir)
        with contextlib.ExitStack() as undo:
            # Opened before the fork and kept until the child is dead: the other side sees its end as end-of-file.
            self._channel = None if request["channel"] is None else Channel(**request["channel"])
            if self._channel is not None:
                undo.callback(self._channel.close)
            self._log = LogIntake(self._workdir, int(self._limits["logBytes"]))
            undo.callback(self._log.close)
            if wall.kind.uid is not None:
                give_folder(self._workdir, wall.kind.uid)
            self._start(request, undo)
            undo.pop_all()

    def _start(self, request: dict[str, Any], undo: contextlib.ExitStack) -> None:
        self.log_descriptor, log_writer = os.pipe()
        undo.callback(os.close, self.log_descriptor)
        self.progress_descriptor, progress_writer = os.pipe()
        undo.callback(os.close, self.progress_descriptor)
        declared = _read_declared(request["requestPath"])
        # Kept from before the job began: what a training leaves is counted against this. One off its schema the child
        # refuses.
        is_training = self.command == "train" and schema_problem("train-request", declared) is None
        self._declared = declared if is_training else None
        child = ChildJob(
            command=self.command,
            request_path=request["requestPath"],
            workdir=self._workdir,
            progress_descriptor=progress_writer,
            log_descriptor=log_writer,
            channel=None if self._channel is None else self._channel.descriptors,
            wall=self._wall.kind,
            plan=plan_of(self.command, request["requestPath"], declared, self._workdir),
        )
        self._started = self._last_progress = self._last_folder_scan = time.monotonic()
        name = f"job-{os.getpid()}-{time.monotonic_ns()}"
        try:
            self._process = JobProcess(child, self._wall, name=name, memory_bytes=int(self._limits["memoryBytes"]))
        finally:
            os.close(log_writer)
            os.close(progress_writer)
        os.set_blocking(self.log_descriptor, False)
        os.set_blocking(self.progress_descriptor, False)

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self, label: str, detail: str) -> None:
        """Ends the child for that reason. The first reason counts."""
        if self._end is None:
            self._end = End(label, detail)
        self._process.kill()

    def take_log(self) -> bool:
        """Reads what the child printed. False when the pipe has ended."""
        data = _read(self.log_descriptor)
        if data:
            self._feed_log(data)
        return data != b""

    def take_progress(self) -> tuple[bool, list[dict[str, Any]]]:
        """Reads progress. (False when the pipe has ended, lines to pass on)."""
        data = _read(self.progress_descriptor)
        return data != b"", self._feed_progress(data) if data else []

    def has_ended(self) -> bool:
        """Whether the child is dead; it is reaped then."""
        return self._process.poll()

    def check_limits(self, now: float) -> None:
        """Ends the child when it has run, been silent or grown too long or far. To be called a few times a second."""
        limits = self._limits
        if self._end is not None:
            return
        # What it took too much of first: on a machine that it keeps busy this host comes to look late.
        self._check_tree(now)
        if now - self._started > limits["wallSeconds"]:
            self.stop("timeout_wall", f"it ran longer than {limits['wallSeconds']:g} s, the limit")
        elif now - self._last_progress > limits["idleSeconds"]:
            self.stop("timeout_idle", f"it made no progress for {limits['idleSeconds']:g} s, the limit")
        if now - self._last_folder_scan > _FOLDER_SCAN_SECONDS:
            self._last_folder_scan = now
            self._check_folder()

    def use_to_tell(self, now: float) -> float | None:
        """CPU seconds of the job so far, where they have grown and were not told for a second; None where not."""
        cpu_seconds = self._process.cpu_seconds
        if now - self._last_told < _USE_TOLD_SECONDS or cpu_seconds <= self._told_cpu_seconds:
            return None
        self._last_told, self._told_cpu_seconds = now, cpu_seconds
        return cpu_seconds

    def _check_tree(self, now: float) -> None:
        memory_bytes, num_threads = self._process.usage(now)
        most_bytes = int(self._limits["memoryBytes"])
        if num_threads > NUM_PROCESSES:
            self.stop("pids_limit", _too_many_processes(num_threads))
        if memory_bytes > most_bytes:
            self.stop("oom_host", f"it held {memory_bytes:,} bytes of memory; the limit is {most_bytes:,}")
        self._check_counters()

    def _check_counters(self) -> None:
        """What the kernel has counted against the limits of the job."""
        group = self._process.group
        if group is None:
            return
        if group.num_oom_kills() > 0:
            limit = f"{group.memory_bytes:,}"
            self.stop("oom_host", f"it asked for more than {limit} bytes of memory; the limit is {limit}")
        if group.num_refused_forks() > 0:
            self.stop("pids_limit", _too_many_processes(group.num_processes + 1))

    def _check_folder(self) -> None:
        num_bytes, num_entries = _folder_usage(self._workdir)
        if num_bytes > self._largest_folder_bytes:
            self.stop(
                "disk_limit", f"its folder holds {num_bytes:,} bytes; the limit is {self._largest_folder_bytes:,}"
            )
        if num_entries >= _MOST_FOLDER_ENTRIES:
            self.stop("disk_limit", f"its folder holds {num_entries:,} files; the limit is {_MOST_FOLDER_ENTRIES:,}")

    def conclude(self) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """After has_ended: reads the rest and decides the label. Progress still to pass on, and the finished event."""
        assert self._process.wait_status is not None, "the child must have ended"
        lines = self._drain()
        self._check_counters()
        if self._process.full_folders:
            full = " and ".join(self._process.full_folders)
            self.stop("disk_limit", f"it filled {full} to the limit of bytes or of files")
        # What it wrote just before its end counts too.
        self._check_folder()
        end = self._end or self._end_of_status(self._process.wait_status)
        self._process.close()
        os.close(self.log_descriptor)
        os.close(self.progress_descriptor)
        if self._channel is not None:
            self._channel.close()
        return lines, {
            "event": "finished",
            "id": self.id,
            "label": end.label,
            "detail": end.detail[:DETAIL_LIMIT],
            "wallSeconds": time.monotonic() - self._started,
            "cpuSeconds": self._process.cpu_seconds,
            "peakMemoryBytes": self._process.peak_bytes,
            "logTail": self._log.close(),
        }

    def _drain(self) -> list[dict[str, Any]]:
        """What is in the pipes now; a process that still holds them open cannot make it wait."""
        lines: list[dict[str, Any]] = []
        for _ in range(_MOST_DRAINED_READS):
            data = _read(self.progress_descriptor)
            if not data:
                break
            lines += self._feed_progress(data)
        for _ in range(_MOST_DRAINED_READS):
            data = _read(self.log_descriptor)
            if not data:
                break
            self._feed_log(data)
        return lines

    def _feed_log(self, data: bytes) -> None:
        self._log.feed(data)
        if self._log.is_over:
            self.stop("log_flood", f"it printed more than {int(self._limits['logBytes']):,} bytes, the limit")

    def _feed_progress(self, data: bytes) -> list[dict[str, Any]]:
        *lines, self._partial = (self._partial + data).split(b"\n")
        if len(self._partial) > _LONGEST_PROGRESS_BYTES:
            self._refuse_progress(f"a line has more than {_LONGEST_PROGRESS_BYTES:,} bytes")
            self._partial = b""
        return [message for message in map(self._judge_progress, lines) if message is not None]

    def _end_of_status(self, status: int) -> End:
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            if number == signal.SIGKILL and num_kernel_oom_kills() > self._oom_kills:
                return End("oom_host", "the machine ran out of memory and ended it")
            if number == signal.SIGKILL and not self._was_killed:
                # Who sent a SIGKILL cannot be known. Once it is taken for an outage of the machine and tried again.
                self.was_killed_from_outside = True
                return End(
                    "infra", "it was ended by a SIGKILL that neither this host nor a limit sent; tried again once"
                )
            return End("signal", f"it was ended by signal {number} ({_signal_name(number)})")
        code = os.WEXITSTATUS(status)
        if code in _OUR_STATUSES and self._fault and self._is_believed():
            return End("infra", self._fault)
        if code != 0:
            return End("exit", f"it ended with status {code}")
        return End(*(refuse_result(self._workdir, self.command, self._declared, self._wall.kind.uid) or (None, "")))

    def _is_believed(self) -> bool:
        """Whether a fault that the job told of is taken for ours. Where candidate code runs beside whoever tells it, it
        is believed once, as a kill from outside is: it may be the candidate's own word.
        """
        if self._candidate_code is not CandidateCode.BESIDE:
            return True
        self.was_killed_from_outside = not self._was_killed
        return not self._was_killed

    def _judge_progress(self, line: bytes) -> dict[str, Any] | None:
        """The progress to pass on, if the line holds any."""
        self._num_progress_lines += 1
        if self._num_progress_lines > _MOST_PROGRESS_LINES:
            self.stop("log_flood", f"it wrote more than {_MOST_PROGRESS_LINES:,} lines of progress")
            return None
        if self._end is not None:  # nothing more is believed of a job that is being ended
            return None
        try:
            message = parse_json(line) if len(line) <= _LONGEST_PROGRESS_BYTES else None
        except ValueError:
            message = None
        match message:
            case {"beat": 1}:
                self._last_progress = time.monotonic()
                return None
            case {"fault": str(text)}:
                self._fault = text
                return None
            case {"violation": {"label": ("forbidden_write" | "forbidden_call") as label, "detail": str(detail)}}:
                self.stop(label, detail)
                return None
        problem = schema_problem("train-progress", message)
        if problem is not None or self.command != "train":
            self._refuse_progress(problem or f"{self.command} has no training progress")
            return None
        self._last_progress = time.monotonic()
        return message

    def _refuse_progress(self, problem: str) -> None:
        self.stop("bad_result", f"a line of its progress cannot be used: {problem}")


def _read(descriptor: int) -> bytes | None:
    """What a pipe holds now: b"" when it has ended, None when it is only empty."""
    try:
        return os.read(descriptor, _READ_BYTES)
    except BlockingIOError:
        return None


def _remove_stale_result(workdir: Path) -> None:
    """A result of an earlier attempt must not pass for this one's."""
    path = workdir / RESULT_NAME
    if path.is_dir() and not path.is_symlink():
        os.rename(path, workdir / f"{RESULT_NAME}.{time.monotonic_ns()}")
    else:
        path.unlink(missing_ok=True)


def _folder_usage(folder: Path) -> tuple[int, int]:
    """(bytes on disk, entries) below a folder; looks at a bounded number of entries."""
    total, num_entries, queue = 0, 0, [str(folder)]
    while queue and num_entries < _MOST_FOLDER_ENTRIES:
        with contextlib.suppress(OSError), os.scandir(queue.pop()) as entries:
            for entry in entries:
                num_entries += 1
                if num_entries >= _MOST_FOLDER_ENTRIES:
                    break
                with contextlib.suppress(OSError):
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        queue.append(entry.path)
    return total, num_entries


def _read_declared(path: str) -> Any:
    """The request, for what it declares. The child reads it again and says what is wrong with it."""
    try:
        with open(path, "rb") as file:
            return parse_json(file.read(_LARGEST_REQUEST_BYTES))
    except (OSError, ValueError):
        return None


def _too_many_processes(number: int) -> str:
    return f"it had or asked for {number} processes and threads; the limit is {NUM_PROCESSES}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "a signal without a name"

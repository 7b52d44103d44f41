"""One running job as the host sees it: its child, its pipes, its limits, and how it ended.

Labels come from what the host saw: which limit it enforced, which status or signal ended the child, what lies in the
folder. The text of the log decides nothing.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from asi_kernels.programs import DETAIL_LIMIT
from asi_kernels.requests import RESULT_NAME, parse_json, schema_problem

from .channel import Channel
from .child import STATUS_BAD_REQUEST, STATUS_OUR_FAULT, ChildJob, run_child
from .log_intake import LogIntake
from .process_tree import descendants, kill_group, num_kernel_oom_kills, resident_bytes
from .result_intake import refuse_result

_LONGEST_PROGRESS_BYTES = 16 << 10
_MOST_PROGRESS_LINES = 200_000
_READ_BYTES = 1 << 16
_MOST_DRAINED_READS = 256
_TREE_SCAN_SECONDS = 1.0
_FOLDER_SCAN_SECONDS = 2.0
_LARGEST_FOLDER_BYTES = 4 << 30
_MOST_FOLDER_ENTRIES = 20_000
# ru_maxrss is in kilobytes on Linux and in bytes on macOS.
_MAXRSS_UNIT_BYTES = 1024 if sys.platform == "linux" else 1
_OUR_STATUSES = frozenset({STATUS_BAD_REQUEST, STATUS_OUR_FAULT})


class End(NamedTuple):
    """Why a job ended; label None is a good end."""

    label: str | None
    detail: str


class Job:
    """Forks the child when made.

    Raises OSError when the machine cannot give it a process, pipes or a log file, or when its channel is no FIFO.
    """

    def __init__(self, request: dict[str, Any]) -> None:
        self.id: str = request["id"]
        self.command: str = request["command"]
        self._limits: dict[str, float] = request["limits"]
        self._workdir = Path(request["workdir"]).resolve()
        self._end: End | None = None
        self._fault = ""
        self._partial = b""
        self._num_progress_lines = 0
        self._peak_bytes = 0
        self._status: int | None = None
        self._cpu_seconds = 0.0
        self._others: list[int] = []
        self._oom_kills = num_kernel_oom_kills()
        _remove_stale_result(self._workdir)
        # Opened before the fork and kept until the child is dead: the other side sees the end of the job as end-of-file.
        self._channel = None if request["channel"] is None else Channel(**request["channel"])
        self._log = LogIntake(self._workdir, int(self._limits["logBytes"]))
        self.log_descriptor, log_writer = os.pipe()
        self.progress_descriptor, progress_writer = os.pipe()
        host_pid = os.getpid()
        self._started = self._last_progress = self._last_tree_scan = self._last_folder_scan = time.monotonic()
        self.pid = os.fork()
        if self.pid == 0:
            run_child(
                ChildJob(
                    self.command,
                    request["requestPath"],
                    self._workdir,
                    progress_writer,
                    log_writer,
                    None if self._channel is None else self._channel.descriptors,
                ),
                host_pid,
            )
        os.close(log_writer)
        os.close(progress_writer)
        os.set_blocking(self.log_descriptor, False)
        os.set_blocking(self.progress_descriptor, False)

    def stop(self, label: str, detail: str) -> None:
        """Ends the child for that reason. The first reason counts."""
        if self._end is None:
            self._end = End(label, detail)
        if self._status is None:  # once it is reaped its number may belong to another process
            kill_group(self.pid)

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
        if self._status is None:
            pid, status, usage = os.wait4(self.pid, os.WNOHANG)
            if pid == 0:
                return False
            self._status = status
            self._cpu_seconds = usage.ru_utime + usage.ru_stime
            self._peak_bytes = max(self._peak_bytes, usage.ru_maxrss * _MAXRSS_UNIT_BYTES)
        return True

    def check_limits(self, now: float) -> None:
        """Ends the child when it has run, been silent or grown too long or far. To be called a few times a second."""
        limits = self._limits
        if self._end is not None:
            return
        if now - self._started > limits["wallSeconds"]:
            self.stop("timeout_wall", f"it ran longer than {limits['wallSeconds']:g} s, the limit")
        elif now - self._last_progress > limits["idleSeconds"]:
            self.stop("timeout_idle", f"it made no progress for {limits['idleSeconds']:g} s, the limit")
        if now - self._last_tree_scan > _TREE_SCAN_SECONDS:
            self._others, self._last_tree_scan = descendants(self.pid), now
        memory_bytes = sum(resident_bytes(pid) for pid in [self.pid, *self._others])
        self._peak_bytes = max(self._peak_bytes, memory_bytes)
        if memory_bytes > limits["memoryBytes"]:
            self.stop(
                "oom_host", f"it held {memory_bytes:,} bytes of memory; the limit is {int(limits['memoryBytes']):,}"
            )
        if now - self._last_folder_scan > _FOLDER_SCAN_SECONDS:
            self._last_folder_scan = now
            if (size := _folder_bytes(self._workdir)) > _LARGEST_FOLDER_BYTES:
                self.stop("disk_limit", f"its folder holds {size:,} bytes; the limit is {_LARGEST_FOLDER_BYTES:,}")

    def conclude(self) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """After has_ended: reads the rest and decides the label. Progress still to pass on, and the finished event."""
        assert self._status is not None, "the child must have ended"
        lines = self._drain()
        end = self._end or self._end_of_status(self._status)
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
            "cpuSeconds": self._cpu_seconds,
            "peakMemoryBytes": self._peak_bytes,
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
            return End("signal", f"it was ended by signal {number} ({_signal_name(number)})")
        code = os.WEXITSTATUS(status)
        if code in _OUR_STATUSES and self._fault:
            return End("infra", self._fault)
        if code != 0:
            return End("exit", f"it ended with status {code}")
        return End(*(refuse_result(self._workdir, self.command) or (None, "")))

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


def _folder_bytes(folder: Path) -> int:
    """Bytes on disk below a folder; looks at a bounded number of entries."""
    total, num_entries, queue = 0, 0, [str(folder)]
    while queue and num_entries < _MOST_FOLDER_ENTRIES:
        with contextlib.suppress(OSError), os.scandir(queue.pop()) as entries:
            for entry in entries:
                num_entries += 1
                with contextlib.suppress(OSError):
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        queue.append(entry.path)
    return total


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "a signal without a name"

"""The child of the host: makes itself small, then runs one command. Never returns to the host's code.

What the child gives up by itself: its session, the host's descriptors, the environment, the terminal, core dumps and
priority. It dies with the host. The wall around it is built by sandbox/wall.py, by the first process of the job where
the tier has namespaces (first_process.py) and by the child itself elsewhere.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from asi_kernels.commands import COMMANDS, CandidateCode, load_command
from asi_kernels.programs import is_inside_program
from asi_kernels.requests import RequestError, read_request, write_result
from asi_kernels.sandbox import kernel_calls as kernel
from asi_kernels.sandbox.canaries import CANARY_COMMAND, run_canary
from asi_kernels.sandbox.plan import JobPlan
from asi_kernels.sandbox.wall import WallKind, become_bound, become_powerless, close_reading

from . import audit
from .late_imports import close_imports
from .process_tree import die_with_parent
from .torchscript import close_torchscript

STATUS_CANDIDATE_ERROR = 1
STATUS_BAD_REQUEST = 2
STATUS_OUR_FAULT = 70
STATUS_VIOLATION = 71
PROGRESS_DESCRIPTOR = 3
_NICENESS = 5
_FAULT_CHARACTERS = 3000
# Of a request whose command runs candidate code beside itself: files that stay readable.
_PROGRAM_FIELDS = ("programPath", "referencePath")


@dataclass(frozen=True)
class ChildJob:
    """What a child is to run.

    progress_descriptor and log_descriptor are the writing ends of the two pipes to the host; channel holds the
    descriptors of the FIFOs to the judge (questions, answers).
    """

    command: str
    request_path: str
    workdir: Path
    progress_descriptor: int
    log_descriptor: int
    channel: tuple[int, int] | None
    wall: WallKind
    plan: JobPlan


def run_child(job: ChildJob, host_pid: int) -> NoReturn:
    """Runs the job behind a wall without namespaces and ends this process, whatever happens."""
    status = STATUS_OUR_FAULT
    try:
        os.setsid()
        die_with_parent(host_pid)
        keep_only(descriptors_of(job))
        _become_small(job)
        become_powerless(job.wall, job.plan)
        # A change of user takes the wish to die with the host away.
        die_with_parent(host_pid)
        status = run_command(job)
    except BaseException as error:  # the edge of the process: everything becomes a status and a line in the log
        status = _status_of(error)
    finally:
        _end(status)


def run_walled(job: ChildJob) -> NoReturn:
    """The same for a child whose parent has built the wall; both have given up their rights already."""
    status = STATUS_OUR_FAULT
    try:
        os.setsid()
        _become_small(job)
        status = run_command(job)
    except BaseException as error:  # the edge of the process, as above
        status = _status_of(error)
    finally:
        _end(status)


def run_command(job: ChildJob) -> int:
    """The exit status of the command."""
    if job.command == CANARY_COMMAND:
        return run_canary(job.request_path, job.workdir)
    if COMMANDS[job.command].candidate_code is CandidateCode.BESIDE:
        audit.install(job.workdir, _end_for_violation)
    return _run(job)


def _end(status: int) -> NoReturn:
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    # No exit handlers: the host's would run in the child, and a candidate's could rewrite the result.
    os._exit(status)


def _run(job: ChildJob) -> int:
    try:
        request = read_request(job.request_path, job.command)
        command = load_command(job.command)
        match COMMANDS[job.command].candidate_code:
            case CandidateCode.APART:
                if sys.platform == "linux":
                    # Neither its memory nor its descriptors are open to the candidate's process, of the same user.
                    kernel.set_undumpable()
                result = command(request, job.workdir, _report, partial(_confine, job, os.getpid()))
            case CandidateCode.BESIDE:
                close_torchscript()
                closing = _Closing(job, [request[name] for name in _PROGRAM_FIELDS if name in request])
                result = command(request, job.workdir, _report, closing)
                assert closing.is_done, f"{job.command} has not closed its files"
            case CandidateCode.NOWHERE:
                result = command(request, job.workdir, _report)
    except RequestError as error:
        _tell({"fault": f"the request cannot be used: {error}"})
        return STATUS_BAD_REQUEST
    write_result(job.workdir, job.command, result)
    return 0


def _status_of(error: BaseException) -> int:
    text = "".join(traceback.format_exception(error))
    with contextlib.suppress(Exception):
        print(text, file=sys.stderr, flush=True)
    if is_inside_program(error):
        return STATUS_CANDIDATE_ERROR
    with contextlib.suppress(OSError):
        _tell({"fault": text[-_FAULT_CHARACTERS:]})
    return STATUS_OUR_FAULT


def _confine(job: ChildJob, parent_pid: int, on_breach: Callable[[str, str], None], program: str) -> None:
    """Takes from a candidate's process what the trainer, or who answers the judge, keeps: files, a say over others."""
    die_with_parent(parent_pid)
    if sys.platform == "linux":
        kernel.set_dumpable()
    _close_files(job, [program])
    become_bound(job.wall)
    close_torchscript()
    audit.install(None, on_breach)


class _Closing:
    """Closes all files but those of programs when called (commands.CloseFiles); knows whether it has been."""

    def __init__(self, job: ChildJob, programs: list[str]) -> None:
        self.is_done = False
        self._job = job
        self._programs = programs

    def __call__(self) -> None:
        _close_files(self._job, self._programs)
        self.is_done = True


def _close_files(job: ChildJob, programs: list[str]) -> None:
    if close_reading(job.wall, programs):
        close_imports()


def _become_small(job: ChildJob) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # A child that fills the memory of the machine is to be ended before anything else.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    os.chdir(job.workdir)
    os.environ.clear()
    os.environ.update({"LANG": "C.UTF-8", "HOME": str(job.workdir), "TMPDIR": str(job.workdir)})
    os.nice(_NICENESS)
    # Modules imported late must not leave compiled files in the package folders.
    sys.dont_write_bytecode = True
    sys.stdout.reconfigure(line_buffering=True)
    faulthandler.enable()


def descriptors_of(job: ChildJob) -> dict[int, int]:
    """What a child has open, target by source: 0 is empty, 1 and 2 are the log, 3 is progress, 4 and 5 are the judge's
    questions and answers where there are any.
    """
    empty = os.open(os.devnull, os.O_RDONLY)
    sources = [empty, job.log_descriptor, job.log_descriptor, job.progress_descriptor, *_one_way(job.channel)]
    return dict(enumerate(sources))


def keep_only(wanted: dict[int, int]) -> None:
    """Moves each source to its target number and closes everything else."""
    highest = max(wanted)
    # Copied above every target first: the pipes may sit on the very numbers that are to be filled.
    copies = {target: _above(highest, source) for target, source in wanted.items()}
    for target in range(highest + 1):
        if target in copies:
            os.dup2(copies[target], target, inheritable=False)
        else:
            with contextlib.suppress(OSError):
                os.close(target)
    os.closerange(highest + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def _one_way(channel: tuple[int, int] | None) -> tuple[int, ...]:
    """The child's own ends: the questions for reading alone, the answers for writing alone."""
    if channel is None:
        return ()
    questions, answers = (f"/dev/fd/{descriptor}" for descriptor in channel)
    return os.open(questions, os.O_RDONLY), os.open(answers, os.O_WRONLY)


def _above(number: int, descriptor: int) -> int:
    copy = os.dup(descriptor)
    while copy <= number:
        copy = os.dup(copy)
    return copy


def _report(line: dict[str, Any] | None) -> None:
    _tell({"beat": 1} if line is None else line)


def _tell(message: dict[str, Any]) -> None:
    """One line to the host. The pipe takes a line of this size whole, so that lines of threads do not mix."""
    os.write(PROGRESS_DESCRIPTOR, json.dumps(message, allow_nan=False).encode() + b"\n")


def _end_for_violation(label: str, detail: str) -> NoReturn:
    traceback.print_stack(file=sys.stderr)
    sys.stderr.flush()
    _tell({"violation": {"label": label, "detail": detail[:1000]}})
    os._exit(STATUS_VIOLATION)

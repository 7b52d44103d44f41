"""The first process of a walled job: builds the wall around itself, says "ready", waits for "go", starts the child.

It is process 1 of the job's process-id namespace: whatever the job starts ends with it. It holds no rights either once
the wall stands; the candidate can neither signal nor trace it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
from typing import NoReturn

from asi_kernels.sandbox import kernel_calls as kernel
from asi_kernels.sandbox.wall import become_powerless, build_namespaces, full_scratch

from .child import ChildJob, descriptors_of, keep_only, run_walled
from .process_tree import ask_to_die_with_parent

READY, FAILED, GO = b"ready\n", b"failed ", b"g"
_STATUS_DESCRIPTOR, _GO_DESCRIPTOR = 6, 7


def run_first(job: ChildJob, status_descriptor: int, go_descriptor: int) -> NoReturn:
    """Never returns. What it tells the host: ready or failed with a reason; at the end a line of JSON with the child's
    wait status and the scratch folders that are full.
    """
    try:
        keep_only({**descriptors_of(job), _STATUS_DESCRIPTOR: status_descriptor, _GO_DESCRIPTOR: go_descriptor})
        os.setsid()
        ask_to_die_with_parent()
        build_namespaces(job.wall, job.plan)
        become_powerless(job.wall, job.plan)
        # The change of user took both away.
        kernel.set_undumpable()
        ask_to_die_with_parent()
    except Exception as error:  # the edge of the process: the host is to know why there is no wall
        os.write(_STATUS_DESCRIPTOR, FAILED + f"{type(error).__name__}: {error}".encode()[:1000] + b"\n")
        os._exit(1)
    os.write(_STATUS_DESCRIPTOR, READY)
    # A host that died before its death was asked for has closed its end: no go will come.
    if os.read(_GO_DESCRIPTOR, 1) != GO:
        os._exit(1)
    child = os.fork()
    if child == 0:
        os.close(_STATUS_DESCRIPTOR)
        os.close(_GO_DESCRIPTOR)
        kernel.set_dumpable()
        run_walled(job)
    _await(child)


def _await(child: int) -> NoReturn:
    # Only the status pipe stays: an end that is kept here would keep a pipe of the child open.
    for descriptor in range(_STATUS_DESCRIPTOR):
        with contextlib.suppress(OSError):
            os.close(descriptor)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == child:
            break
    os.write(_STATUS_DESCRIPTOR, json.dumps({"status": status, "full": full_scratch()}).encode() + b"\n")
    os._exit(0)

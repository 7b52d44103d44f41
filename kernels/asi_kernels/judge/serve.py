"""`python -m asi_kernels judge --home h --channels c`: JSON lines in and out (judgeRequest, judgeEvent in contracts).

Never imports a program and never imports torch. Each scoring runs in a forked child, so that one that hangs or grows
can be ended alone. Started by root, the judge gives up its rights once everything is imported; folders it needs later
are held open from before. It ends when stdin does.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import selectors
import signal
import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from asi_kernels.data.split import SHARDS, shard_name
from asi_kernels.requests import parse_json, schema_problem

from .channels import Channels
from .examine import Refused, Subject, examine
from .home import DATA_NAME, JUDGE_UID, open_home
from .issued import Issued
from .plan import secret_stream
from .seal import NO_SEAL, is_genuine, is_genuine_list, list_seal, seal
from .version import judge_version
from .wire import Asker

_LONGEST_LINE_BYTES = 16 << 20
_DETAIL_CHARACTERS = 2000
_PR_SET_DUMPABLE, _PR_SET_PDEATHSIG = 4, 1


def serve(home: Path, channels_folder: Path) -> int:
    """Runs until stdin ends; returns the exit status. Raises JudgeHomeError for a folder that cannot be used."""
    sys.stdout.flush()
    events = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints must not look like an event
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    key, home_descriptor, issued_descriptor = open_home(home)
    issued = Issued(issued_descriptor)
    channels = Channels(channels_folder)
    _warm_up()
    _give_up_rights()
    judge = _Judge(key, home_descriptor, channels, events, issued)
    judge.send({"event": "ready", "pid": os.getpid(), "judgeVersion": judge_version(), "uid": os.geteuid()})
    with contextlib.suppress(BrokenPipeError):
        judge.run()
    judge.end()
    return 0


def _warm_up() -> None:
    """Imports and reads what is needed later: after the change of user the files may be out of reach."""
    secret_stream(bytes(32), "warm up").random()
    judge_version()
    for name in ("judge-request", "judge-event"):
        schema_problem(name, {})


def _give_up_rights() -> None:
    libc = ctypes.CDLL(None)
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(JUDGE_UID, JUDGE_UID, JUDGE_UID)
        os.setresuid(JUDGE_UID, JUDGE_UID, JUDGE_UID)
    if sys.platform == "linux":
        # No other process of this user may read its memory: it holds the key.
        libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class _Judge:
    """The loop over stdin and the running scorings."""

    def __init__(self, key: bytes, home: int, channels: Channels, events: int, issued: Issued) -> None:
        self._key = key
        self._home = home
        self._channels = channels
        self._events = events
        self._issued = issued
        self._texts: dict[tuple[str, str], np.ndarray] = {}
        self._selector = selectors.DefaultSelector()
        self._running: dict[str, tuple[int, int, bool]] = {}  # id to (process, descriptor of its reply, kept)
        self._replies: dict[str, bytearray] = {}
        self._partial = b""
        self._open = True

    def run(self) -> None:
        self._selector.register(0, selectors.EVENT_READ, None)
        while self._open:
            for entry, _ in self._selector.select():
                if entry.data is None:
                    self._read_requests()
                else:
                    self._read_reply(entry.data, entry.fd)

    def send(self, event: dict[str, Any]) -> None:
        content = json.dumps(event, allow_nan=False).encode() + b"\n"
        while content:
            content = content[os.write(self._events, content) :]

    def end(self) -> None:
        for score_id in list(self._running):
            self._stop(score_id)
        self._channels.close()

    def _read_requests(self) -> None:
        data = os.read(0, 1 << 16)
        if not data:
            self._open = False
            return
        *lines, self._partial = (self._partial + data).split(b"\n")
        if len(self._partial) > _LONGEST_LINE_BYTES:
            self._partial = b""
            self._refuse(None, f"a line has more than {_LONGEST_LINE_BYTES:,} bytes; requests are shorter")
        for line in lines:
            if line.strip():
                self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            request = parse_json(line)
        except ValueError as error:
            self._refuse(None, f"the line is not JSON: {error}")
            return
        problem = schema_problem("judge-request", request)
        request_id = request.get("id") if isinstance(request, dict) else None
        if problem is not None:
            self._refuse(request_id if isinstance(request_id, str) else None, problem)
            return
        match request["op"]:
            case "ping":
                self.send({"event": "pong"})
            case "open":
                paths = self._channels.make(request["id"])
                self.send({"event": "opened", "id": request["id"], **paths})
            case "close":
                self._stop(request["id"])
                self._channels.remove(request["id"])
            case "check-seals":
                genuine = [is_genuine(self._key, row) for row in request["rows"]]
                lists = [is_genuine_list(self._key, one) for one in request["lists"]]
                self.send({"event": "seals", "id": request["id"], "genuine": genuine, "genuineLists": lists})
            case "lists":
                lists = [one for one in map(self._list, request["experimentIds"]) if one is not None]
                self.send({"event": "lists", "id": request["id"], "lists": lists})
            case "score":
                self._score(request)

    def _list(self, experiment_id: str) -> dict[str, Any] | None:
        scorings = self._issued.scorings(experiment_id)
        if not scorings:
            return None
        facts = {"experimentId": experiment_id, "scorings": scorings}
        return {**facts, "seal": list_seal(self._key, facts)}

    def _score(self, request: dict[str, Any]) -> None:
        score_id = request["id"]
        if score_id in self._running:
            self._refuse(score_id, f"id is {json.dumps(score_id)}, which is being scored already")
            return
        ends = self._channels.ends(score_id)
        if ends is None:
            self._refuse(score_id, f"id is {json.dumps(score_id)}, which has no channels; open them first")
            return
        try:
            text = self._text(request)
        except (OSError, ValueError) as error:
            self._refuse(score_id, str(error))
            return
        reader, writer = os.pipe()
        judge_pid = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._become_scorer(request, text, ends, writer, judge_pid)
        os.close(writer)
        self._running[score_id] = (pid, reader, request["kept"])
        self._replies[score_id] = bytearray()
        self._selector.register(reader, selectors.EVENT_READ, score_id)

    def _text(self, request: dict[str, Any]) -> np.ndarray:
        """Bytes [N] uint8 of the shard. Raises ValueError when what lies there is not what the manifest says."""
        data, score_set = request["data"], request["set"]
        name = (data["hash"], score_set)
        if name not in self._texts:
            where = f"{DATA_NAME}/{data['hash']}/{shard_name(score_set)}"
            try:
                descriptor = os.open(where, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=self._home)
            except FileNotFoundError as error:
                raise ValueError(
                    f"the judge holds no {score_set} text of data {data['hash'][:12]}; prepare it on this machine"
                ) from error
            with open(descriptor, "rb") as file:
                self._texts[name] = np.frombuffer(file.read(), dtype=np.uint8)
        found, wanted = len(self._texts[name]), data["shards"][score_set]["bytes"]
        if found != wanted:
            raise ValueError(
                f"the {score_set} text has {found:,} bytes and its manifest says {wanted:,}; prepare it again"
            )
        return self._texts[name]

    def _become_scorer(
        self, request: dict[str, Any], text: np.ndarray, ends: tuple[int, int, int, int], writer: int, judge_pid: int
    ) -> NoReturn:
        status = 70
        try:
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() == judge_pid:
                reply = json.dumps(_scored(self._key, request, text, ends), allow_nan=False).encode()
                while reply:
                    reply = reply[os.write(writer, reply) :]
                status = 0
        except BaseException:  # the edge of the process: the judge reports it as an outage
            traceback.print_exc()
        finally:
            os._exit(status)

    def _read_reply(self, score_id: str, descriptor: int) -> None:
        data = os.read(descriptor, 1 << 16)
        if data:
            self._replies[score_id] += data
            return
        pid, _, kept = self._running.pop(score_id)
        self._selector.unregister(descriptor)
        os.close(descriptor)
        _, status, usage = os.wait4(pid, 0)
        reply = self._replies.pop(score_id)
        self._channels.remove(score_id)
        facts: dict[str, Any] = {
            "status": "failed",
            "label": "infra",
            "detail": f"the judge's own process ended with status {os.waitstatus_to_exitcode(status)}",
            "rows": [],
        }
        if status == 0:
            facts = self._entered(json.loads(reply), kept)
        seconds = usage.ru_utime + usage.ru_stime
        self.send({"event": "scored", "id": score_id, **facts, "cpuSeconds": seconds})

    def _entered(self, facts: dict[str, Any], kept: bool) -> dict[str, Any]:
        """The rows stand in the list before anybody has them; rows that cannot be listed are not given out."""
        if not kept or not facts["rows"]:
            return facts
        try:
            self._issued.append(facts["rows"])
        except OSError as error:
            detail = f"the judge cannot enter the rows into its list: {error}"
            return {"status": "failed", "label": "infra", "detail": detail[:_DETAIL_CHARACTERS], "rows": []}
        return facts

    def _stop(self, score_id: str) -> None:
        """Ends a scoring; nothing is reported of it."""
        found = self._running.pop(score_id, None)
        if found is None:
            return
        pid, descriptor, _ = found
        self._selector.unregister(descriptor)
        os.close(descriptor)
        del self._replies[score_id]
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)

    def _refuse(self, request_id: str | None, message: str) -> None:
        self.send({"event": "refused", "id": request_id, "message": message[:_DETAIL_CHARACTERS]})


def _scored(key: bytes, request: dict[str, Any], text: np.ndarray, ends: tuple[int, int, int, int]) -> dict[str, Any]:
    """The fields of a `scored` event but the CPU seconds."""
    assert request["set"] in SHARDS, request["set"]
    patience = request["answerSeconds"]
    prefixes, sequences = Asker(ends[0], ends[1], patience), Asker(ends[2], ends[3], patience)
    subject = Subject(request["rung"], request["seed"], request["set"], request["data"]["hash"], text)
    try:
        measured = examine(key, subject, prefixes=prefixes, sequences=sequences)
    except Refused as refused:
        return {"status": "failed", "label": refused.label, "detail": refused.detail[:_DETAIL_CHARACTERS], "rows": []}
    rows = []
    for found in measured:
        row = {
            "trialId": request["trialId"],
            "metric": found.metric,
            "value": found.value,
            "fullSequence": found.full,
            "gapStandardError": found.error,
            "prefixes": found.prefixes,
            "cuts": found.cuts,
            "set": request["set"],
            "seed": request["seed"],
            "rung": request["rung"]["name"],
            "programHash": request["programHash"],
            "checkpointHash": request["checkpointHash"],
            "dataHash": request["data"]["hash"],
            "judgeVersion": judge_version(),
            "sandboxTier": request["sandboxTier"],
            "sandboxCanaries": request["sandboxCanaries"],
            "heldOutHidden": request["heldOutHidden"],
            "device": request["device"],
        }
        rows.append({**row, "seal": seal(key, row) if request["kept"] else NO_SEAL})
    return {"status": "scored", "label": None, "detail": "", "rows": rows}

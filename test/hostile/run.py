"""Runs the hostile programs as real jobs through the host and says which were contained and labelled.

`python run.py [--tier S2] [--rows R1,T1]`. Each is run twice: as a program that the gates import beside themselves,
with a folder to write to, and as the program of a training, whose layers have a process of their own that may write
nothing; so have those of a trial that answers the judge. A program is contained when each job ended with an expected
label within its limits, it brought home no loot, nothing of it is alive and a good job still runs
after it. Exit status 1 when a program got through that known-misses.json does not list for the tier of the host: a tier
that promises more than it holds.

Without a wall nothing is run: one of the programs kills every process that it may signal.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "kernels"))
sys.path.insert(0, str(Path(__file__).parent))

from host_client import PACKAGE, Host

from asi_kernels.data import prepare
from asi_kernels.data.split import SHARDS, TRAIN_NAME, shard_name

FOLDER = Path(__file__).parent
CANARY = "HOSTILE_CANARY_5f1c"
NEEDLE_VALUES = 26  # different bytes in a line that stands in no other text by chance
NEEDLES_A_SHARD = 400
LIMITS = {"wallSeconds": 10, "idleSeconds": 4, "memoryBytes": 2 << 30, "logBytes": 1 << 20}
# A few of every kind, quick ones.
SHORT = [
    *("R1", "R3", "R5", "R8", "T1", "T2", "P1", "P4", "L2", "L4", "L8", "L9", "L16"),
    *("N1", "N4", "N5", "F1", "F2", "F4", "K1", "K2", "O1", "O4", "O10"),
]
_SLACK_SECONDS = 4.0
JOBS = ("check", "train")
# Labels that end a training for what only code beside the gates may do: write into its folder, speak for itself.
_ALSO_IN_TRAINING = ("exit", "forbidden_write", "import_error", "no_result", "timeout_idle")
_GOOD = """
from torch import nn


class Mixer(nn.Module):
    def __init__(self, hidden_size, num_heads, layer_index=0, num_layers=1):
        super().__init__()
        self.map = nn.Linear(hidden_size, hidden_size)

    def forward(self, x, state=None):
        return self.map(x), state
"""


@dataclass(frozen=True)
class Program:
    row: str
    does: str
    expected: tuple[str, ...]
    limits: dict[str, float]
    text: str

    def labels(self, job: str) -> tuple[str, ...]:
        if job == "train":
            return (*self.expected, *_ALSO_IN_TRAINING)
        # The gates read a candidate before they import it, so these texts stand where the reference does, and one that
        # cannot be imported is our own fault.
        return tuple("infra" if label == "import_error" else label for label in self.expected)


@dataclass(frozen=True)
class Outcome:
    """labels: of the two jobs, in the order of JOBS."""

    program: Program
    labels: tuple[str, ...]
    contained: bool
    why: str


def read_programs(rows: list[str] | None = None) -> list[Program]:
    """All of them, or those of some rows, in the order of the catalogue. The head of each file names its row."""
    programs = []
    for path in sorted((FOLDER / "programs").glob("*.py")):
        text = path.read_text()
        head = dict(re.findall(r"^# (\w+): (.*)$", text.split("\n\n")[0], re.MULTILINE))
        limits = json.loads(head.get("limits", "{}"))
        programs.append(Program(head["row"], head["does"], tuple(head["expect"].split()), limits, text))
    return [program for program in programs if rows is None or program.row in rows]


class NoWall(Exception):
    """This machine has no wall behind which the programs may be let loose."""


class WalledHost(Host):
    """The host as the workers start it, with one secret in its environment that nobody may find."""

    def __init__(self, work: Path, strongest: str) -> None:
        super().__init__(["--work", str(work), "--at-most", strongest], secret=CANARY)
        if not _is_walled(self.facts):
            self.close()
            raise NoWall(f"the sandbox is {self.facts['tier']} as user {self.facts['uid']}: {self.facts['missing']}")


class Range:
    """Where the programs run: work folders, and bait around them that a program must not reach."""

    def __init__(self, folder: Path, strongest: str) -> None:
        self._outside = folder / "outside"
        self._work = folder / "work"
        for path in (self._outside, self._work, self._work / "sibling"):
            path.mkdir()
        (self._outside / "secret").write_text(CANARY)
        (self._outside / "judge").mkdir()
        (self._outside / "judge" / "key").write_text(CANARY)
        (self._work / "sibling" / "mixer.py").write_text("# another candidate")
        self._sockets = [socket.create_server(("127.0.0.1", 0)), *map(socket.socket, [socket.AF_UNIX] * 2)]
        abstract = f"asi-hostile-{os.getpid()}"
        self._sockets[1].bind(str(self._outside / "s"))
        self._sockets[2].bind("\0" + abstract)
        for listener in self._sockets[1:]:
            listener.listen(8)
        self._bait = {
            "SECRET_PATH": str(self._outside / "secret"),
            "JUDGE_PATH": str(self._outside / "judge" / "key"),
            "HELD_OUT_NEEDLES": ",".join(_needles(self._outside)),
            "SIBLING_PATH": str(self._work / "sibling" / "mixer.py"),
            "SOCKET_PATH": str(self._outside / "s"),
            "ABSTRACT_NAME": abstract,
            "TCP_PORT": str(self._sockets[0].getsockname()[1]),
        }
        self._request = _train_request(folder)
        self.host = WalledHost(self._work, strongest)

    def attempt(self, program: Program) -> Outcome:
        ends = [self._attempt(program, job) for job in JOBS]
        problems = [f"{job}: {why}" for job, (_, why) in zip(JOBS, ends, strict=True) if why]
        return Outcome(program, tuple(label for label, _ in ends), not problems, "; ".join(problems))

    def _attempt(self, program: Program, job: str) -> tuple[str, str]:
        """(label, what is wrong) of one job."""
        workdir = self._workdir(program.row, program.text, job)
        segments = _shared_memory()
        event = self.host.run(f"{program.row}-{job}", job, workdir, LIMITS | program.limits)
        label = event.get("label") or _result_label(workdir)
        problems = []
        if label not in program.labels(job):
            problems.append(f"ended with {label}: {event.get('detail', event)[:160]}")
        if found := _loot(workdir):
            problems.append("found " + ", ".join(found[:3]))
        limit = float((LIMITS | program.limits)["wallSeconds"]) + _SLACK_SECONDS
        if event.get("wallSeconds", 0) > limit:
            problems.append(f"took {event['wallSeconds']:.1f} s")
        if "\x1b" in event.get("logTail", "") or "\u202e" in event.get("logTail", ""):
            problems.append("control characters are left in the log")
        if alive := _processes_in(workdir):
            problems.append(f"left process {alive[0]}")
        if _shared_memory() != segments:
            problems.append("left shared memory")
            # The key of p08; what stays would hide the next one.
            subprocess.run(["ipcrm", "-M", "0x0A510A51"], check=False)
        shutil.rmtree(workdir, ignore_errors=True)
        return str(label), "; ".join(problems)

    def good_job_label(self) -> str | None:
        """The label of an honest training after all of it; None is right."""
        label: str | None = self.host.run(
            "good", "train", self._workdir("good", _GOOD, "train"), LIMITS | {"wallSeconds": 60}
        ).get("label")
        return label

    def close(self) -> None:
        self.host.close()
        for listener in self._sockets:
            listener.close()

    def _workdir(self, name: str, text: str, job: str) -> Path:
        workdir = self._work / name
        workdir.mkdir()
        for word, value in self._bait.items():
            text = text.replace(word, value)
        (workdir / "mixer.py").write_text(text)
        program_hash = hashlib.sha256(text.encode()).hexdigest()
        request = {**self._request, "programPath": str(workdir / "mixer.py"), "programHash": program_hash}
        if job == "check":
            (workdir / "good.py").write_text(_GOOD)
            paths = {"programPath": str(workdir / "good.py"), "referencePath": str(workdir / "mixer.py")}
            request = {**paths, "rung": request["rung"], "seed": 0, "cuts": 8, "flopsLimit": 1.25}
        (workdir / "request.json").write_text(json.dumps(request))
        return workdir


@contextlib.contextmanager
def open_range(strongest: str) -> Iterator[Range]:
    folder = Path(tempfile.mkdtemp(prefix="asi-hostile-"))
    try:
        place = Range(folder, strongest)
        try:
            yield place
        finally:
            place.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _is_walled(facts: dict[str, Any]) -> bool:
    """Whether signals of a program cannot reach anything of this machine's users."""
    if facts["tier"] == "S0P":
        return facts["uid"] not in (0, os.getuid())
    return facts["tier"] in ("S3", "S2", "S1", "S0L")


def known_misses(tier: str) -> list[str]:
    misses: list[str] = json.loads((FOLDER / "known-misses.json").read_text())[tier]
    return misses


def unexpected(outcomes: list[Outcome], tier: str) -> list[Outcome]:
    """What got through although the tier does not name it."""
    return [outcome for outcome in outcomes if not outcome.contained and outcome.program.row not in known_misses(tier)]


def _train_request(folder: Path) -> dict[str, Any]:
    """A training of one step of the smallest rung, whose data is a file of zeros."""
    rung = json.loads((PACKAGE / "asi_kernels" / "schemas" / "rungs.json").read_text())["tiny"]
    rung["tasks"] = [{**task, "steps": 1} for task in rung["tasks"] if task["kind"] == "recall"]
    fields = json.loads((PACKAGE / "asi_kernels" / "schemas" / "train-request.json").read_text())["properties"]
    return {
        "trialId": "c-hostile/e0001/tiny/s0",
        "rung": rung,
        "sizes": [_example(fields["sizes"]["items"], folder) | {"task": task["kind"]} for task in rung["tasks"]],
        "seed": 0,
        "data": _example(fields["data"], folder),
        "checkpointEvery": 20,
        "reportEvery": 5,
    }


def _example(schema: dict[str, Any], folder: Path) -> Any:
    """The smallest value that fits a schema; texts are the folder's path, hashes zeros."""
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if variants := schema.get("oneOf") or schema.get("anyOf"):
        return _example(variants[0], folder)
    match schema.get("type"):
        case "object":
            fields = schema.get("properties", {})
            return {name: _example(fields[name], folder) for name in schema.get("required", [])}
        case "array":
            return []
        case "integer" | "number":
            return max(1, schema.get("minimum", 1))
        case "boolean":
            return False
        case _:
            return "0" * 64 if "pattern" in schema else str(folder)


def _result_label(workdir: Path) -> str | None:
    with contextlib.suppress(OSError, ValueError):
        if (workdir / "result.json").is_file():
            label: str | None = json.loads((workdir / "result.json").read_text()).get("label")
            return label
    return None


def _loot(workdir: Path) -> list[str]:
    """What the program said that it had got at."""
    with contextlib.suppress(OSError):
        lines = (workdir / "log.txt").read_text(errors="replace").splitlines()
        return [line.removeprefix("loot: ") for line in lines if line.startswith("loot: ")]
    return []


def _needles(folder: Path) -> list[str]:
    """Lines that stand in the held-out texts of a default campaign alone, of each shard, in hexadecimal digits."""
    request = {
        "source": {"kind": "stdlib"},
        "cacheFolder": str(folder / "data"),
        "judgeFolder": str(folder / "judge"),
        "minimumTrainBytes": 0,
        "minimumHeldOutBytes": 0,
    }
    manifest = prepare.run(request, folder, lambda line: None)["manifest"]
    known = set((Path(manifest["folder"]) / TRAIN_NAME).read_bytes().split(b"\n"))
    needles = []
    for shard in SHARDS:
        text = (folder / "judge" / "data" / manifest["hash"] / shard_name(shard)).read_bytes()
        lines = [line for line in text.split(b"\n") if len(set(line)) >= NEEDLE_VALUES and line not in known]
        needles += [line.hex() for line in lines[:: max(1, len(lines) // NEEDLES_A_SHARD)]]
    return needles


def _processes_in(folder: Path) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if os.readlink(entry).startswith(str(folder)):
                found.append(entry.parent.name)
    return found


def _shared_memory() -> int:
    with contextlib.suppress(OSError):
        return len(Path("/proc/sysvipc/shm").read_text().splitlines())
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tier", default="S2", help="try no stronger sandbox: S2, S1, S0L, S0P or none")
    parser.add_argument("--rows", help="only these rows of the catalogue, with commas")
    options = parser.parse_args()
    programs = read_programs(None if options.rows is None else options.rows.split(","))
    started = time.monotonic()
    try:
        opened = open_range(options.tier)
        place = opened.__enter__()
    except NoWall as error:
        print(f"nothing was run: {error}")
        # Where bubblewrap is, a wall is expected, and its absence is what these programs would have shown.
        return 1 if shutil.which("bwrap") is not None and options.tier in ("S2", "S1") else 0
    with contextlib.ExitStack() as closing:
        closing.push(opened)
        facts = place.host.facts
        print(
            f"sandbox {facts['tier']}, kernel {facts['kernel']}, bubblewrap {facts['bubblewrap']}, uid {facts['uid']}"
        )
        outcomes = []
        for program in programs:
            outcome = place.attempt(program)
            outcomes.append(outcome)
            mark = "held" if outcome.contained else "MISS"
            why = f": {outcome.why}" if outcome.why else ""
            print(f"{program.row:5}{mark:6}{', '.join(outcome.labels):32}{program.does}{why}", flush=True)
        good = place.good_job_label()
    tier = facts["tier"]
    num_held = sum(outcome.contained for outcome in outcomes)
    print(f"{tier}: {num_held} of {len(outcomes)} contained and labelled, {time.monotonic() - started:.0f} s")
    dishonest = unexpected(outcomes, tier)
    for outcome in dishonest:
        print(f"not listed as a known miss of {tier}: {outcome.program.row} {outcome.why}")
    if good is not None:
        print(f"an honest training afterwards ended with {good}")
    return 1 if dishonest or good is not None else 0


if __name__ == "__main__":
    sys.exit(main())

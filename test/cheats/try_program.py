"""One cheating program on its way to a score: gates, training, judge, each as in a campaign but without a sandbox.

What no gate refuses is trained and scored; what one refuses is trained and scored all the same, to see what the judge
would have said. Each step that runs the program has a forked process of its own.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "kernels"))

from asi_kernels.bench.scoring import score_locally
from asi_kernels.data import prepare
from asi_kernels.judge.examine import Refused

PROGRAMS = Path(__file__).parent / "programs"
CONTROLS = ("honest", "honest_fft", "honest_quiet", "honest_running_mean")
_LIMIT_SECONDS = 60
_SIZE = {
    "mlpHidden": 32,
    "parameters": 1,
    "mixerParameters": 1,
    "referenceParameters": 1,
    "flopsPerToken": 1,
    "referenceFlopsPerToken": 1,
}
RUNG = {
    "name": "cheats",
    "hidden": 32,
    "heads": 2,
    "mlpRatio": 1,
    "tasks": [
        {
            "kind": "bytes",
            "length": 64,
            "layers": 2,
            "evalSequences": 96,
            "steps": 60,
            "batch": 8,
            "learningRate": 1e-2,
            "weightDecay": 0.01,
            "snapshots": 1,
        }
    ],
    "wallLimitSeconds": 60,
}


@dataclass(frozen=True)
class Tried:
    """gate: who refused it before training, or None. label: why there is no score, or None.

    official, usual: bits a byte from prefixes and from whole sequences, where the judge gave a score.
    """

    name: str
    seed: int
    gate: str | None
    label: str | None
    official: float | None
    usual: float | None


def prepared(folder: Path) -> dict[str, Any]:
    """Manifest of the standard library's text below `folder`; the judge's folder is `folder`/judge."""
    request = {
        "source": {"kind": "stdlib"},
        "cacheFolder": str(folder / "data"),
        "judgeFolder": str(folder / "judge"),
        "minimumTrainBytes": 0,
        "minimumHeldOutBytes": 0,
    }
    return prepare.run(request, folder, lambda line: None)["manifest"]


def names() -> list[str]:
    return sorted(path.stem for path in PROGRAMS.glob("*.py"))


def refused_by(name: str, seed: int, folder: Path) -> str | None:
    """The gate, or the label of the review, that refuses the program; None when it passes them all."""
    request = {
        "programPath": str(PROGRAMS / f"{name}.py"),
        "referencePath": str(PROGRAMS / "honest.py"),
        "rung": RUNG,
        "seed": seed,
        "flopsLimit": 4.0,
        "cuts": 8,
    }
    workdir = folder / f"{name}-check" / "work"
    workdir.mkdir(parents=True, exist_ok=True)
    result = _in_child(lambda: _check(request, workdir))
    if "died" in result:
        return result["died"]
    failed = [row["gate"] for row in result["gates"] if row["verdict"] == "fail"]
    return None if result["status"] == "pass" else (failed[0] if failed else result["label"])


def score(name: str, seed: int, manifest: dict[str, Any], folder: Path, score_set: str) -> Tried:
    """Trains and scores the program as if no gate had been there."""
    path = PROGRAMS / f"{name}.py"
    workdir = folder / f"{name}-{seed}" / "work"
    workdir.mkdir(parents=True, exist_ok=True)
    common = {
        "trialId": f"c-cheats/e0001/cheats/s{seed}",
        "programPath": str(path),
        "programHash": hashlib.sha256(path.read_bytes()).hexdigest(),
        "rung": RUNG,
        "sizes": [{"task": task["kind"], **_SIZE} for task in RUNG["tasks"]],
        "seed": seed,
        "data": manifest,
    }
    trained = _in_child(lambda: _train({**common, "checkpointEvery": 100, "reportEvery": 20}, workdir))
    if trained.get("status") != "trained":
        return Tried(name, seed, None, trained.get("label") or trained["died"], None, None)
    request = {**common, "checkpointPath": trained["checkpointPath"]}
    scored = _in_child(lambda: _score(request, folder / "judge", score_set, workdir))
    if "died" in scored:
        return Tried(name, seed, None, scored["died"], None, None)
    return Tried(name, seed, None, scored["label"], scored["official"], scored["usual"])


def _check(request: dict[str, Any], workdir: Path) -> dict[str, Any]:
    from asi_kernels.gates import check

    os.chdir(workdir)
    return check.run(request, workdir)


def _train(request: dict[str, Any], workdir: Path) -> dict[str, Any]:
    from asi_kernels.train import run as train

    os.chdir(workdir)
    return train.run(request, workdir, lambda line: None)


def _score(request: dict[str, Any], judge_home: Path, score_set: str, workdir: Path) -> dict[str, Any]:
    # The answering processes are forked from here: what a cheat writes beside itself stays below the folder.
    os.chdir(workdir)
    try:
        found = score_locally(request, judge_home, score_set).metrics[0]
    except Refused as refused:
        return {"label": refused.label, "official": None, "usual": None}
    return {"label": None, "official": found.value, "usual": found.full}


def _in_child(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What `work` returns in a forked process, or how that process died."""
    receiver, sender = multiprocessing.get_context("fork").Pipe(duplex=False)
    pid = os.fork()
    if pid == 0:
        # A cheat may have patched what would report an error: only what arrives counts.
        try:
            signal.alarm(_LIMIT_SECONDS)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            sender.send_bytes(json.dumps(work()).encode())
        finally:
            os._exit(0)
    sender.close()
    try:
        return json.loads(receiver.recv_bytes())
    except EOFError:
        return {"died": "exit"}
    finally:
        os.waitpid(pid, 0)

"""One cheating program on its way to a score: gates, training, judge, each as a job of a real host as in a campaign.

The sandbox is what the machine has. What no gate refuses is trained and scored; what one refuses is trained and scored
all the same, to see what host and judge would have said.
"""

from __future__ import annotations

import hashlib
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "kernels"))
sys.path.insert(0, str(Path(__file__).parents[1] / "hostile"))

from host_client import Host

from asi_kernels.data import prepare
from asi_kernels.data.split import shard_name
from asi_kernels.gates.sizes import measure_sizes
from asi_kernels.judge.channels import Channels
from asi_kernels.judge.examine import Refused, Subject, accepted, ask
from asi_kernels.judge.home import DATA_NAME, read_or_make_key
from asi_kernels.judge.wire import Asker
from asi_kernels.programs import load_mixer_class

PROGRAMS = Path(__file__).parent / "programs"
CONTROLS = (
    "honest",
    "honest_fft",
    "honest_quiet",
    "honest_running_mean",
    "honest_sign_gate",
    "honest_top_channels",
)
_LIMITS = {"wallSeconds": 60, "idleSeconds": 60, "memoryBytes": 2 << 30, "logBytes": 1 << 20}
_ANSWER_SECONDS = 60.0
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
    """label: why there is no score, or None. official, usual: bits a byte from prefixes and from whole sequences, where
    the judge gave a score. train_seconds: CPU of the training as the host counted it.
    """

    name: str
    seed: int
    label: str | None
    official: float | None
    usual: float | None
    train_seconds: float


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


class Course:
    """A host, a judge's folder and a prepared text, for any number of programs. To be closed."""

    def __init__(self, folder: Path) -> None:
        self._work = folder / "work"
        self._sizes: dict[str, list[dict[str, Any]]] = {}
        self.manifest = prepared(folder)
        self._judge_home = folder / "judge"
        self._channels = Channels(folder / "channels")
        reads = [argument for path in (PROGRAMS, folder / "data") for argument in ("--read", str(path))]
        self.host = Host(["--work", str(self._work), *reads, "--work", str(folder / "channels")])

    def close(self) -> None:
        self.host.close()
        self._channels.close()

    def refused_by(self, name: str, seed: int = 0) -> str | None:
        """The gate, or the label, that refuses the program before it is trained; None when it passes them all."""
        request = {
            "programPath": str(PROGRAMS / f"{name}.py"),
            "referencePath": str(PROGRAMS / "honest.py"),
            "rung": RUNG,
            "seed": seed,
            "flopsLimit": 4.0,
            "cuts": 8,
        }
        end, result = self._run(f"{name}-check", "check", request)
        if result is None:
            return str(end["label"])
        self._sizes[name] = result["sizes"]
        failed = [row["gate"] for row in result["gates"] if row["verdict"] == "fail"]
        return None if result["status"] == "pass" else (failed[0] if failed else result["label"])

    def score(self, name: str, seed: int, score_set: str) -> Tried:
        """Trains and scores the program as if no gate had been there; as the model that they counted, if they did."""
        path = PROGRAMS / f"{name}.py"
        common = {
            "trialId": f"c-cheats/e0001/cheats/s{seed}",
            "programPath": str(path),
            "programHash": hashlib.sha256(path.read_bytes()).hexdigest(),
            "rung": RUNG,
            "sizes": self._sizes.get(name) or _honest_sizes(),
            "seed": seed,
        }
        request = {**common, "data": self.manifest, "checkpointEvery": 100, "reportEvery": 20}
        end, trained = self._run(f"{name}-{seed}", "train", request)
        if trained is None or trained["status"] != "trained":
            return Tried(name, seed, end["label"] or trained["label"], None, None, end["cpuSeconds"])
        request = {**common, "checkpointPath": trained["checkpointPath"]}
        label, official, usual = self._judge(f"{name}-{seed}", request, score_set)
        return Tried(name, seed, label, official, usual, end["cpuSeconds"])

    def _run(
        self, job_id: str, command: str, request: dict[str, Any], channel: dict[str, str] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """The last event of a job, and its result where the host took it."""
        workdir = self._work / job_id
        workdir.mkdir(parents=True, exist_ok=True)
        (workdir / "request.json").write_text(json.dumps(request))
        end = self.host.run(job_id, command, workdir, _LIMITS, channel)
        if end["event"] == "refused":
            raise RuntimeError(end["message"])
        return end, json.loads((workdir / "result.json").read_text()) if end["label"] is None else None

    def _judge(
        self, job_id: str, request: dict[str, Any], score_set: str
    ) -> tuple[str | None, float | None, float | None]:
        """(label, bits a byte from prefixes, from whole sequences); one process answers after the other."""
        shard = self._judge_home / DATA_NAME / self.manifest["hash"] / shard_name(score_set)
        text = np.fromfile(shard, dtype=np.uint8)
        subject = Subject(RUNG, request["seed"], score_set, self.manifest["hash"], text)
        paths = self._channels.make(job_id)
        ends = self._channels.ends(job_id)
        assert ends is not None
        askers = [Asker(ends[place], ends[place + 1], _ANSWER_SECONDS) for place in (0, 2)]
        with ThreadPoolExecutor(1) as pool:
            key = read_or_make_key(self._judge_home)
            asked = pool.submit(ask, key, subject, prefixes=askers[0], sequences=askers[1])
            # After a refusal nobody asks the processes anything more; each may be running then.
            jobs = [f"{job_id}-{half}" for half in ("prefixes", "sequences")]
            asked.add_done_callback(lambda done: [self.host.cancel(job) for job in jobs if done.exception()])
            labels: list[str | None] = []
            for job, half in zip(jobs, ("prefixes", "sequences"), strict=True):
                end, result = self._run(job, "answer", request, paths[half])
                labels.append(end["label"] or (result or {}).get("label"))
                if labels[-1] is not None:
                    for asker in askers:
                        asker.give_up()
                    break
            try:
                found = accepted(asked.result())[0]
            except Refused as refused:
                own = next((label for label in labels if label not in (None, "cancelled")), None)
                return own if own and refused.label in ("cancelled", "no_result") else refused.label, None, None
            finally:
                self._channels.remove(job_id)
        return None, found.value, found.full


def _honest_sizes() -> list[dict[str, Any]]:
    """What the gates count of the honest program."""
    honest = load_mixer_class(PROGRAMS / "honest.py")
    return [size.row() for size in measure_sizes(honest, honest, RUNG, 0)]

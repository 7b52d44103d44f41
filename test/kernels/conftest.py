"""What the Python tests share: one thread as in a trial, prepared text, work folders that hold a whole request, and
legal genomes drawn at random.
"""

import hashlib
import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")

import pytest
import torch
from hypothesis import settings

from asi_kernels.data import prepare
from asi_kernels.generate.baselines import baseline_genome
from asi_kernels.generate.emit import emit_program

torch.set_num_threads(1)
# No time limits: the machine may be shared. The same examples on each run.
settings.register_profile("asi", deadline=None, derandomize=True, database=None, max_examples=25)
settings.load_profile("asi")

FIR_KERNELS = (3, 5, 7, 15, 31, 63)
SUMMABLE_MAPS = ("relu", "elu-plus-one", "square")
SCHEMAS = Path(prepare.__file__).parent.parent / "schemas"

# A mixer that is right and does almost nothing: what a test adds to it is the thing under test.
PLAIN_PROGRAM = """
import torch
from torch import nn


class Mixer(nn.Module):
    def __init__(self, hidden_size, num_heads, layer_index=0, num_layers=1):
        super().__init__()
        self.map = nn.Linear(hidden_size, hidden_size)

    def forward(self, x, state=None):
        return self.map(x), state
"""


@pytest.fixture(scope="session")
def judge_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The judge's folder: it holds the held-out shards of text_manifest."""
    return tmp_path_factory.mktemp("home") / "judge"


@pytest.fixture(scope="session")
def text_manifest(tmp_path_factory: pytest.TempPathFactory, judge_home: Path) -> dict[str, Any]:
    """Manifest of a small prepared text."""
    source, cache = tmp_path_factory.mktemp("text"), tmp_path_factory.mktemp("cache")
    for index in range(120):
        words = " ".join(f"word{(index * step) % 97}" for step in range(1, 120))
        (source / f"{index}.txt").write_text(f"File {index}.\n{words}\n")
    request = {
        "source": {"kind": "folder", "path": str(source)},
        "cacheFolder": str(cache),
        "judgeFolder": str(judge_home),
        "minimumTrainBytes": 1000,
        "minimumHeldOutBytes": 300,
    }
    result = prepare.run(request, cache, lambda line: None)
    assert result["status"] == "ok", result
    return result["manifest"]


@pytest.fixture(scope="session")
def tiny_rung() -> dict[str, Any]:
    return json.loads((SCHEMAS / "rungs.json").read_text())["tiny"]


@pytest.fixture(scope="session")
def deltanet_program() -> str:
    return emit_program(baseline_genome("deltanet"), "deltanet", "the reference")


MakeTrial = Callable[..., dict[str, Any]]


@pytest.fixture
def make_trial(text_manifest: dict[str, Any], tiny_rung: dict[str, Any]) -> MakeTrial:
    """make_trial(workdir, program, steps=, seed=, kinds=): writes mixer.py and request.json; returns the request."""

    def make(
        workdir: Path,
        program: str,
        *,
        seed: int = 0,
        steps: int = 10,
        kinds: tuple[str, ...] = ("bytes", "recall"),
        checkpoint_every: int = 3,
        report_every: int = 1,
    ) -> dict[str, Any]:
        workdir.mkdir(parents=True, exist_ok=True)
        (workdir / "mixer.py").write_text(program)
        tasks = [{**task, "steps": steps} for task in tiny_rung["tasks"] if task["kind"] in kinds]
        size = {
            "mlpHidden": 32,
            "parameters": 1,
            "mixerParameters": 1,
            "referenceParameters": 1,
            "flopsPerToken": 1,
            "referenceFlopsPerToken": 1,
        }
        request = {
            "trialId": f"c-test/e0001/tiny/s{seed}",
            "programPath": str(workdir / "mixer.py"),
            "programHash": hashlib.sha256(program.encode()).hexdigest(),
            "rung": {**tiny_rung, "tasks": tasks},
            "sizes": [{"task": task["kind"], **size} for task in tasks],
            "seed": seed,
            "data": text_manifest,
            "checkpointEvery": checkpoint_every,
            "reportEvery": report_every,
        }
        (workdir / "request.json").write_text(json.dumps(request))
        return request

    return make


@pytest.fixture
def plain_program() -> str:
    return PLAIN_PROGRAM


def answer_request_of(request: dict[str, Any], checkpoint_path: str) -> dict[str, Any]:
    kept = ("trialId", "programPath", "programHash", "rung", "sizes", "seed")
    return {name: request[name] for name in kept} | {"checkpointPath": checkpoint_path}


@pytest.fixture
def answer_request() -> Callable[[dict[str, Any], str], dict[str, Any]]:
    """answer_request(train_request, checkpoint_path)."""
    return answer_request_of


@pytest.fixture
def make_answer(make_trial: MakeTrial) -> Callable[[Path, str], None]:
    """make_answer(workdir, program): writes mixer.py and a request to answer, whose checkpoint is not there."""

    def make(workdir: Path, program: str) -> None:
        request = answer_request_of(make_trial(workdir, program, kinds=("bytes",)), str(workdir / "none"))
        (workdir / "request.json").write_text(json.dumps(request))

    return make


@pytest.fixture
def make_check(tiny_rung: dict[str, Any]) -> Callable[[Path, str], None]:
    """make_check(workdir, reference): writes a request for the check of a plain program against the reference's text.

    The gates' process imports the reference first, and unread: what it does it does beside our own code.
    """

    def make(workdir: Path, reference: str) -> None:
        workdir.mkdir(parents=True, exist_ok=True)
        (workdir / "mixer.py").write_text(PLAIN_PROGRAM)
        (workdir / "reference.py").write_text(reference)
        paths = {"programPath": str(workdir / "mixer.py"), "referencePath": str(workdir / "reference.py")}
        request = {**paths, "rung": tiny_rung, "seed": 0, "cuts": 8, "flopsLimit": 1.25}
        (workdir / "request.json").write_text(json.dumps(request))

    return make


@pytest.fixture(scope="session")
def draw_genome() -> Callable[[random.Random], dict[str, Any]]:
    """A legal genome: every gene at random, then those that clash set to what the rules ask for."""
    return _draw


def _draw(rng: random.Random) -> dict[str, Any]:
    pick = rng.choice
    genome = {
        "decay": {
            "kind": pick(["none", "scalar-const", "vector-const", "scalar-data", "vector-data"]),
            "param": pick(["logsigmoid", "softplus", "bounded-sigmoid", "double-exp"]),
        },
        "write": {
            "kind": pick(["additive", "delta", "decoupled-erase", "householder"]),
            "beta": pick(["one", "sigmoid", "double-sigmoid"]),
            "steps": pick([2, 3]),
            "eraseTime": pick(["after-decay", "before-decay"]),
        },
        "keyTie": pick(["free", "one-minus-decay"]),
        "featureMap": pick(["identity", "silu", "relu", "elu-plus-one", "softmax", "square"]),
        "qkNorm": pick(["none", "l2", "rms", "sum"]),
        "scale": pick(["inverse-sqrt", "one"]),
        "position": pick(["none", "rope"]),
        "shortConv": {name: pick([True, False]) for name in "qkv"} | {"kernel": rng.randint(2, 8)},
        "readout": pick(["plain", "bonus", "query-correction"]),
        "output": {
            "norm": pick(["none", "rms", "group", "layer"]),
            "gate": pick(["none", "silu", "sigmoid", "low-rank"]),
        },
        "valueMix": pick(["none", "sigmoid-mix", "skip"]),
        "fir": sorted(rng.sample(FIR_KERNELS, rng.randint(0, 4))),
        "router": pick(["static", "softmax", "sigmoid", "two-stage"]),
        "heads": {"multiple": pick([0.5, 1, 2]), "expandKey": pick([0.5, 1]), "expandValue": pick([1, 2])},
        "layers": {"pattern": pick(["uniform", "alternate-window"]), "window": pick([16, 32, 64])},
    }
    _settle_write(genome)
    _settle_keys(genome, rng)
    _settle_paths(genome)
    return genome


def _settle_write(genome: dict[str, Any]) -> None:
    write, decay = genome["write"], genome["decay"]
    if write["kind"] != "householder":
        write["steps"] = 1
    if write["kind"] == "decoupled-erase" or (write["kind"] == "additive" and write["beta"] == "double-sigmoid"):
        write["beta"] = "sigmoid"
    if write["kind"] != "delta" or decay["kind"] == "none" or write["beta"] == "double-sigmoid":
        write["eraseTime"] = "after-decay"
    if not decay["kind"].endswith("-data"):
        decay["param"] = "softplus"


def _settle_keys(genome: dict[str, Any], rng: random.Random) -> None:
    additive = genome["write"]["kind"] == "additive"
    if genome["decay"]["kind"] != "vector-data" or not additive:
        genome["keyTie"] = "free"
    if genome["keyTie"] == "one-minus-decay":
        genome["qkNorm"], genome["shortConv"]["k"] = "none", False
        if genome["featureMap"] == "square":
            genome["featureMap"] = "relu"
    elif not additive and genome["qkNorm"] in ("none", "rms"):
        genome["qkNorm"] = "l2"
    if genome["qkNorm"] == "none" and genome["featureMap"] == "square":
        genome["qkNorm"] = "rms"
    if genome["qkNorm"] == "sum" and genome["featureMap"] not in SUMMABLE_MAPS:
        genome["featureMap"] = rng.choice(SUMMABLE_MAPS)


def _settle_paths(genome: dict[str, Any]) -> None:
    if not genome["fir"]:
        genome["router"] = "none"
    if len(genome["fir"]) == 1 and genome["router"] == "two-stage":
        genome["router"] = "softmax"
    if not any(genome["shortConv"][name] for name in "qkv"):
        genome["shortConv"]["kernel"] = 4
    if genome["layers"]["pattern"] == "uniform":
        genome["layers"]["window"] = 32

"""Programs emitted and loaded, and legal genomes drawn at random."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from asi_kernels.generate.emit import emit_program

FIR_KERNELS = (3, 5, 7, 15, 31, 63)
SUMMABLE_MAPS = ("relu", "elu-plus-one", "square")


@pytest.fixture(scope="session")
def load_program() -> Callable[[dict[str, Any]], dict[str, Any]]:
    """From a genome to the names that its program defines."""

    def load(genome: dict[str, Any]) -> dict[str, Any]:
        names: dict[str, Any] = {}
        exec(compile(emit_program(genome, "drawn", "A test of the text."), "<program>", "exec"), names)
        return names

    return load


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

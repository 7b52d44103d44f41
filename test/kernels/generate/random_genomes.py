"""Legal genomes drawn at random: every gene from its schema, then the few genes that clash set to what the rules ask for."""

from __future__ import annotations

import random
from typing import Any

FIR_KERNELS = (3, 5, 7, 15, 31, 63)


def random_genome(rng: random.Random) -> dict[str, Any]:
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
        "output": {"norm": pick(["none", "rms", "group", "layer"]), "gate": pick(["none", "silu", "sigmoid", "low-rank"])},
        "valueMix": pick(["none", "sigmoid-mix", "skip"]),
        "fir": sorted(rng.sample(FIR_KERNELS, rng.randint(0, 4))),
        "router": pick(["static", "softmax", "sigmoid", "two-stage"]),
        "heads": {"multiple": pick([0.5, 1, 2]), "expandKey": pick([0.5, 1]), "expandValue": pick([1, 2])},
        "layers": {"pattern": pick(["uniform", "alternate-window"]), "window": pick([16, 32, 64])},
    }
    return settle(genome, rng)


def settle(genome: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """Sets the genes that clash in a drawn genome to legal values."""
    write, decay = genome["write"], genome["decay"]["kind"]
    if decay != "vector-data" or write["kind"] != "additive":
        genome["keyTie"] = "free"
    if genome["keyTie"] == "one-minus-decay":
        genome["qkNorm"], genome["shortConv"]["k"] = "none", False
        if genome["featureMap"] == "square":
            genome["featureMap"] = "relu"
    if genome["qkNorm"] == "none" and genome["featureMap"] == "square":
        genome["qkNorm"] = "rms"
    if write["kind"] != "additive" and genome["qkNorm"] in ("none", "rms"):
        genome["qkNorm"] = "l2"
    if genome["qkNorm"] == "sum" and genome["featureMap"] not in ("relu", "elu-plus-one", "square"):
        genome["featureMap"] = rng.choice(["relu", "elu-plus-one", "square"])
    if write["kind"] != "householder":
        write["steps"] = 1
    if write["kind"] != "delta" or decay == "none" or write["beta"] == "double-sigmoid":
        write["eraseTime"] = "after-decay"
    if write["kind"] == "decoupled-erase" or (write["kind"] == "additive" and write["beta"] == "double-sigmoid"):
        write["beta"] = "sigmoid"
    if not decay.endswith("-data"):
        genome["decay"]["param"] = "softplus"
    if not genome["fir"]:
        genome["router"] = "none"
    if len(genome["fir"]) == 1 and genome["router"] == "two-stage":
        genome["router"] = "softmax"
    if not any(genome["shortConv"][name] for name in "qkv"):
        genome["shortConv"]["kernel"] = 4
    if genome["layers"]["pattern"] == "uniform":
        genome["layers"]["window"] = 32
    return genome

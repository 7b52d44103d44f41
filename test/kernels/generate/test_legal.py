"""Every rule for legal genomes, by a genome that breaks it alone and the message that says so."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest

from asi_kernels.generate.baselines import baseline_genome, baseline_names
from asi_kernels.generate.legal import require_legal, violations

# Base genome, changed genes by path, the violation.
BREACHES: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("deltanet", {"qkNorm": "none"}, "qkNorm is none; write.kind delta needs l2 or sum"),
    ("deltanet", {"qkNorm": "rms"}, "qkNorm is rms; write.kind delta needs l2 or sum"),
    (
        "kda",
        {"write.kind": "decoupled-erase", "write.beta": "one"},
        "write.beta is one; write.kind decoupled-erase needs sigmoid",
    ),
    ("deltanet", {"write.kind": "householder"}, "write.steps is 1; write.kind householder needs 2 or 3"),
    ("deltanet", {"write.steps": 2}, "write.steps is 2; write.kind delta needs 1"),
    (
        "ssd",
        {"write.eraseTime": "before-decay"},
        "write.eraseTime is before-decay; write.kind additive needs after-decay",
    ),
    (
        "deltanet",
        {"write.eraseTime": "before-decay"},
        "write.eraseTime is before-decay; decay.kind none needs after-decay",
    ),
    (
        "kda",
        {"write.eraseTime": "before-decay", "write.beta": "double-sigmoid"},
        "write.beta is double-sigmoid; write.eraseTime before-decay needs one or sigmoid",
    ),
    ("retnet", {"keyTie": "one-minus-decay"}, "decay.kind is scalar-const; keyTie one-minus-decay needs vector-data"),
    (
        "gla",
        {"keyTie": "one-minus-decay", "shortConv.k": True},
        "shortConv.k is true; keyTie one-minus-decay needs false",
    ),
    ("gla", {"keyTie": "one-minus-decay", "qkNorm": "rms"}, "qkNorm is rms; keyTie one-minus-decay needs none"),
    ("ssd", {"qkNorm": "sum"}, "featureMap is silu; qkNorm sum needs one of relu, elu-plus-one, square"),
    ("ssd", {"featureMap": "square"}, "qkNorm is none; featureMap square needs l2, rms or sum"),
    ("deltanet-fir-gate", {"fir": [15, 3]}, "fir is [15, 3]; kernels must be ascending without repeats: [3, 15]"),
    ("deltanet-fir-gate", {"fir": [3, 3]}, "fir is [3, 3]; kernels must be ascending without repeats: [3]"),
    (
        "deltanet-fir-gate",
        {"router": "none"},
        "router is none; fir [3, 15] needs static, softmax, sigmoid or two-stage",
    ),
    ("deltanet", {"router": "softmax"}, "router is softmax; without FIR branches it must be none"),
    (
        "deltanet-fir-gate",
        {"fir": [3], "router": "two-stage"},
        "router is two-stage; one FIR branch needs static, softmax or sigmoid",
    ),
    ("deltanet", {"decay.param": "logsigmoid"}, "decay.param is logsigmoid; decay.kind none needs softplus"),
    ("ssd", {"write.beta": "double-sigmoid"}, "write.beta is double-sigmoid; write.kind additive needs one or sigmoid"),
    ("gla", {"shortConv.kernel": 3}, "shortConv.kernel is 3; without a short convolution it must be 4"),
    ("deltanet", {"layers.window": 16}, "layers.window is 16; layers.pattern uniform needs 32"),
)


def changed(genome: dict[str, Any], genes: dict[str, Any]) -> dict[str, Any]:
    genome = copy.deepcopy(genome)
    for path, value in genes.items():
        *parents, last = path.split(".")
        owner = genome
        for parent in parents:
            owner = owner[parent]
        owner[last] = value
    return genome


@pytest.mark.parametrize("name", baseline_names())
def test_a_baseline_is_legal(name: str) -> None:
    assert violations(baseline_genome(name)) == []


@pytest.mark.parametrize(("base", "genes", "message"), BREACHES, ids=[message[:60] for _, _, message in BREACHES])
def test_a_breach_is_named_with_its_value_and_what_would_be_right(base: str, genes: dict, message: str) -> None:
    assert violations(changed(baseline_genome(base), genes)) == [message]


def test_an_unknown_value_or_gene_is_named_by_its_path() -> None:
    (unknown_value,) = violations(changed(baseline_genome("kda"), {"decay.kind": "tensor"}))
    assert unknown_value.startswith("decay.kind: 'tensor' is not one of ['none', 'scalar-const'")
    (unknown_gene,) = violations(baseline_genome("kda") | {"colour": "red"})
    assert "colour" in unknown_gene
    lacking = baseline_genome("kda")
    del lacking["scale"]
    assert violations(lacking) == ["genome: 'scale' is a required property"]


def test_all_violations_of_a_genome_are_told_at_once() -> None:
    genome = changed(baseline_genome("deltanet"), {"qkNorm": "none", "write.steps": 3, "layers.window": 64})
    assert len(violations(genome)) == 3
    with pytest.raises(ValueError, match=r"illegal genome: .*; .*; "):
        require_legal(genome)


def test_drawn_genomes_are_legal(draw_genome) -> None:
    rng = random.Random(0)
    assert all(violations(draw_genome(rng)) == [] for _ in range(300))


def test_an_unknown_baseline_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="baseline is 'gdn'; known are linear-attention, retnet"):
        baseline_genome("gdn")


def test_a_baseline_genome_is_a_copy_of_its_own() -> None:
    baseline_genome("kda")["write"]["steps"] = 3
    assert baseline_genome("kda")["write"]["steps"] == 1

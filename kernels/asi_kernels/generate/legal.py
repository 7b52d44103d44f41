"""Which genomes may become programs.

The schema fixes the genes and their values; these rules fix the combinations. They are few, and the evolver mirrors
them one for one. Two purposes: a program must be well defined and bounded, and one program must have one genome (an
idle gene holds its neutral value), so that novelty is not claimed by changing a switch that does nothing.

Well defined and bounded
 1. write.kind delta, decoupled-erase or householder needs keys of norm at most one: qkNorm l2 or sum.
    (I - beta k k^T has the eigenvalue 1 - beta |k|^2, so longer keys make the state diverge.)
 2. write.kind decoupled-erase needs write.beta sigmoid: its gates are per channel, and a range of two or no gate
    makes the non-normal transition I - k (b*k)^T expand.
 3. write.kind householder needs write.steps 2 or 3; every other kind has write.steps 1.
 4. write.eraseTime before-decay needs write.kind delta, a decay, and write.beta one or sigmoid:
    the eigenvalue alpha - beta leaves [-1, 1] when beta reaches two.
 5. keyTie one-minus-decay needs decay.kind vector-data, write.kind additive, shortConv.k off and qkNorm none:
    there is no key left to shape.
 6. qkNorm sum needs featureMap relu, elu-plus-one or square: nowhere negative, and (unlike softmax) not summing to
    one already.
 7. featureMap square needs a qkNorm: unnormalised it overflows float32 for large inputs.
 8. fir is ascending without repeats.
 9. fir and router come together: both empty ('none') or both given; router two-stage needs at least two FIR branches.

Idle genes hold their neutral value
10. decay.param is softplus unless decay.kind is scalar-data or vector-data.
11. write.beta is one or sigmoid for an additive write: a factor of two is no negative eigenvalue there.
12. shortConv.kernel is 4 when no short convolution is on.
13. layers.window is 32 when layers.pattern is uniform.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

Genome = dict[str, Any]

_SCHEMA_FILE = Path(__file__).parent.parent / "schemas" / "genome.json"
_SUMMABLE_MAPS = ("relu", "elu-plus-one", "square")


def violations(genome: Genome) -> list[str]:
    """What is wrong with `genome`: one line each with the gene, its value and what would be right; empty when it is
    legal.
    """
    malformed = _schema_violations(genome)
    if malformed:
        return malformed
    return [*_write_violations(genome), *_key_violations(genome), *_path_violations(genome), *_idle_violations(genome)]


def require_legal(genome: Genome) -> None:
    """Raises ValueError with every violation when `genome` is not legal."""
    found = violations(genome)
    if found:
        raise ValueError("illegal genome: " + "; ".join(found))


@cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator  # loaded on first use: the tools process starts without it

    return Draft202012Validator(json.loads(_SCHEMA_FILE.read_text()))


def _schema_violations(genome: Genome) -> list[str]:
    errors = sorted(_validator().iter_errors(genome), key=lambda error: [str(part) for part in error.absolute_path])
    return [f"{'.'.join(str(part) for part in error.absolute_path) or 'genome'}: {error.message}" for error in errors]


def _write_violations(genome: Genome) -> list[str]:
    write, decay = genome["write"], genome["decay"]["kind"]
    kind, beta, steps = write["kind"], write["beta"], write["steps"]
    found = []
    if kind != "additive" and genome["qkNorm"] not in ("l2", "sum"):
        found.append(f"qkNorm is {genome['qkNorm']}; write.kind {kind} needs l2 or sum")
    if kind == "decoupled-erase" and beta != "sigmoid":
        found.append(f"write.beta is {beta}; write.kind decoupled-erase needs sigmoid")
    if kind == "householder" and steps < 2:
        found.append(f"write.steps is {steps}; write.kind householder needs 2 or 3")
    if kind != "householder" and steps != 1:
        found.append(f"write.steps is {steps}; write.kind {kind} needs 1")
    if write["eraseTime"] == "before-decay":
        if kind != "delta":
            found.append(f"write.eraseTime is before-decay; write.kind {kind} needs after-decay")
        if decay == "none":
            found.append("write.eraseTime is before-decay; decay.kind none needs after-decay")
        if beta == "double-sigmoid":
            found.append("write.beta is double-sigmoid; write.eraseTime before-decay needs one or sigmoid")
    return found


def _key_violations(genome: Genome) -> list[str]:
    feature_map, norm = genome["featureMap"], genome["qkNorm"]
    found = []
    if genome["keyTie"] == "one-minus-decay":
        if genome["decay"]["kind"] != "vector-data":
            found.append(f"decay.kind is {genome['decay']['kind']}; keyTie one-minus-decay needs vector-data")
        if genome["write"]["kind"] != "additive":
            found.append(f"write.kind is {genome['write']['kind']}; keyTie one-minus-decay needs additive")
        if genome["shortConv"]["k"]:
            found.append("shortConv.k is true; keyTie one-minus-decay needs false")
        if norm != "none":
            found.append(f"qkNorm is {norm}; keyTie one-minus-decay needs none")
    if norm == "sum" and feature_map not in _SUMMABLE_MAPS:
        found.append(f"featureMap is {feature_map}; qkNorm sum needs one of {', '.join(_SUMMABLE_MAPS)}")
    if feature_map == "square" and norm == "none":
        found.append("qkNorm is none; featureMap square needs l2, rms or sum")
    return found


def _path_violations(genome: Genome) -> list[str]:
    fir, router = genome["fir"], genome["router"]
    found = []
    if fir != sorted(set(fir)):
        found.append(f"fir is {fir}; kernels must be ascending without repeats: {sorted(set(fir))}")
    if fir and router == "none":
        found.append(f"router is none; fir {fir} needs static, softmax, sigmoid or two-stage")
    if not fir and router != "none":
        found.append(f"router is {router}; without FIR branches it must be none")
    if len(fir) == 1 and router == "two-stage":
        found.append("router is two-stage; one FIR branch needs static, softmax or sigmoid")
    return found


def _idle_violations(genome: Genome) -> list[str]:
    decay, conv, layers = genome["decay"], genome["shortConv"], genome["layers"]
    found = []
    if decay["kind"] not in ("scalar-data", "vector-data") and decay["param"] != "softplus":
        found.append(f"decay.param is {decay['param']}; decay.kind {decay['kind']} needs softplus")
    if genome["write"]["kind"] == "additive" and genome["write"]["beta"] == "double-sigmoid":
        found.append("write.beta is double-sigmoid; write.kind additive needs one or sigmoid")
    if not (conv["q"] or conv["k"] or conv["v"]) and conv["kernel"] != 4:
        found.append(f"shortConv.kernel is {conv['kernel']}; without a short convolution it must be 4")
    if layers["pattern"] == "uniform" and layers["window"] != 32:
        found.append(f"layers.window is {layers['window']}; layers.pattern uniform needs 32")
    return found

"""What a gate says, and the one kind of error that candidate code may raise through the gates."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# The order of contracts/architecture.ts.
GATES = (
    "contract",
    "shape",
    "finite",
    "extremes",
    "batch",
    "causality",
    "length",
    "padding",
    "streaming",
    "repeat",
    "mode",
    "buffers",
    "gradient",
    "precision",
    "initial-loss",
    "initialisation",
    "complexity",
    "parameters",
    "flops",
)
_EVIDENCE_LIMIT = 2000


class CandidateError(Exception):
    """Candidate code raised, or returned what the mixer contract does not allow. The message is for the author of
    the program.
    """


@dataclass(frozen=True)
class Outcome:
    """Verdict of one gate. `measured` and `limit` are the number behind it and its bound, where there is one."""

    verdict: str
    evidence: str
    measured: float | None = None
    limit: float | None = None


def passed(evidence: str, measured: float | None = None, limit: float | None = None) -> Outcome:
    return Outcome("pass", evidence, measured, limit)


def failed(evidence: str, measured: float | None = None, limit: float | None = None) -> Outcome:
    return Outcome("fail", evidence, measured, limit)


def not_applicable(reason: str) -> Outcome:
    return Outcome("not-applicable", reason)


def run_gate(gate: str, judge: Callable[[], Outcome], *, seed: int) -> dict[str, Any]:
    """Runs one gate and returns its row of the check result. An error of candidate code is a failure of that gate.
    `seed` is what its probes are drawn from.
    """
    started = time.process_time()
    try:
        outcome = judge()
    except CandidateError as error:
        outcome = failed(str(error))
    return gate_row(gate, outcome, seconds=time.process_time() - started, seed=seed)


def gate_row(gate: str, outcome: Outcome, seconds: float, seed: int | None = None) -> dict[str, Any]:
    return {
        "gate": gate,
        "verdict": outcome.verdict,
        "evidence": _cut(outcome.evidence),
        "measured": _json_number(outcome.measured),
        "limit": _json_number(outcome.limit),
        "seed": seed,
        "seconds": max(0.0, seconds),
    }


def led_by(said: str, row: dict[str, Any]) -> dict[str, Any]:
    """The row with `said` before its evidence."""
    return {**row, "evidence": _cut(said + row["evidence"])}


def _cut(evidence: str) -> str:
    return evidence if len(evidence) <= _EVIDENCE_LIMIT else evidence[: _EVIDENCE_LIMIT - 1] + "…"


def _json_number(value: float | None) -> float | None:
    """JSON has no infinity and no NaN: such a measurement is told by the evidence alone."""
    return value if value is not None and math.isfinite(value) else None

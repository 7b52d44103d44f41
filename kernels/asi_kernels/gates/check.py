"""The `check` command: static review, load, gates, parameter and FLOP match of one program. Shapes of request and
result: contracts/trial.ts.

Covers what a forward and a backward pass on probe inputs can show on the CPU. Does not cover intent: a program that
behaves until training begins passes, and is caught, if at all, by the training watch, the sandbox and the judge.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..commands import CloseFiles, leave_open
from ..programs import ProgramError, load_mixer_class
from .batch import batch
from .buffers import buffers
from .causality import causality
from .complexity import complexity
from .effort import Effort, effort_for
from .extremes import extremes
from .finite import finite
from .gradient import gradient
from .initial_loss import initial_loss
from .initialisation import initialisation
from .length import length
from .library_state import LibraryState
from .mode_agreement import mode_agreement
from .outcome import GATES, CandidateError, Outcome, failed, gate_row, led_by, not_applicable, passed, run_gate
from .padding import padding
from .precision import precision
from .repeat import repeat
from .shape import shape
from .sizes import TaskSize, flops_outcome, measure_sizes, parameters_outcome
from .source import Source, decode, read_source
from .static_review import ReviewError, integer_constants, review
from .streaming import streaming
from .subject import Subject, probe_shape

_BEHAVIOUR = GATES[1:-2]
_COMPARED = ("batch", "causality", "length", "padding", "streaming", "repeat", "mode")
_INIT_ARGUMENTS = ("hidden_size", "num_heads", "layer_index", "num_layers")


def run(request: dict[str, Any], workdir: Path, close_files: CloseFiles = leave_open) -> dict[str, Any]:
    """checkRequest to checkResult. Writes nothing; `workdir` is where the candidate's own files would go.

    Raises OSError when a program file cannot be read and ProgramError when the reference is not a mixer: those are
    faults of the caller, never of the candidate.
    """
    del workdir
    close_files()
    started = time.process_time()
    source = read_source(Path(request["programPath"]))
    reference_class = load_mixer_class(Path(request["referencePath"]))
    random_state = torch.random.get_rng_state()
    library = LibraryState()
    try:
        rows, sizes, label = _check(source, reference_class, request)
        if changes := library.changes():
            rows, sizes, label = [_contract_broken(rows[0], changes), *rows[1:]], None, "rejected_static"
    finally:
        torch.random.set_rng_state(random_state)
    return {
        "programHash": source.hash,
        "status": "pass" if label is None else "fail",
        "label": label,
        "detail": _detail(rows),
        "gates": rows,
        "sizes": sizes,
        "cpuSeconds": time.process_time() - started,
    }


def _check(
    source: Source, reference_class: type[nn.Module], request: dict[str, Any]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]] | None, str | None]:
    """Rows of every gate, sizes when matched, and the label of the failure or None."""
    rung, seed = request["rung"], request["seed"]
    started = time.process_time()
    try:
        tree = review(decode(source))
        mixer_class = load_mixer_class(source.path)
        _require_signature(mixer_class)
    except (ReviewError, ProgramError) as error:
        said = error.detail if isinstance(error, ProgramError) else str(error)
        first = gate_row("contract", failed(" ".join(said.split())), time.process_time() - started)
        return [first, *_not_run(GATES[1:], "the contract gate failed")], None, error.label
    contract = gate_row(
        "contract",
        passed("parses, imports only what a mixer needs, has class Mixer with its signature"),
        time.process_time() - started,
    )
    subject = Subject(mixer_class, probe_shape(rung), seed, integer_constants(tree))
    rows = [contract, *_behaviour(subject, rung, request["cuts"])]
    sizes: list[TaskSize] = []

    def match() -> Outcome:
        sizes.extend(measure_sizes(mixer_class, reference_class, rung, seed))
        return parameters_outcome(sizes)

    if _verdict(rows, "shape") == "fail":
        rows += _not_run(("parameters", "flops"), "the shape gate failed")
        return rows, None, _label(rows)
    rows.append(run_gate("parameters", match, seed=seed))
    if rows[-1]["verdict"] == "fail":
        rows += _not_run(("flops",), "parameters do not match")
        return rows, None, _label(rows)
    rows.append(run_gate("flops", lambda: flops_outcome(sizes, request["flopsLimit"]), seed=seed))
    return rows, [size.row() for size in sizes], _label(rows)


def _behaviour(subject: Subject, rung: dict[str, Any], num_random: int) -> list[dict[str, Any]]:
    """Gates that run the mixer alone. Those after shape need outputs; comparisons need finite ones."""
    rows = [run_gate("shape", lambda: shape(subject, rung), seed=subject.seed)]
    if rows[0]["verdict"] == "fail":
        return rows + _not_run(_BEHAVIOUR[1:], "the shape gate failed")
    started = time.process_time()
    try:
        effort = effort_for(subject, num_random)
        finite_on_probes = subject.finite_on_probes
    except CandidateError as error:
        rows.append(gate_row("finite", failed(str(error)), time.process_time() - started, subject.seed))
        return rows + _not_run(_BEHAVIOUR[2:], "a plain forward pass in float64 failed")
    rows.append(run_gate("finite", lambda: finite(subject, effort), seed=subject.seed))
    rows.append(run_gate("extremes", lambda: extremes(subject), seed=subject.seed))
    if not finite_on_probes:
        return rows + _not_run(_BEHAVIOUR[3:], "outputs are not finite, so nothing can be compared")
    rows.append(run_gate("batch", lambda: batch(subject), seed=subject.seed))
    comparisons = _comparisons(subject, rung, effort, num_random=num_random, rows_apart=rows[-1]["verdict"] == "fail")
    assert tuple(comparisons) == _BEHAVIOUR[4:], tuple(comparisons)
    rows += [run_gate(gate, judge, seed=subject.seed) for gate, judge in comparisons.items()]
    return _with_their_cause(rows)


def _with_their_cause(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A module that forward changes is another one at the next call, which in any comparison looks like a leak."""
    if not any(row["gate"] == "buffers" and row["evidence"].startswith("forward ") for row in rows):
        return rows
    said = "the module is not the same from call to call, which may be all there is to this (see buffers): "
    return [led_by(said, row) if row["gate"] in _COMPARED and row["verdict"] == "fail" else row for row in rows]


def _comparisons(
    subject: Subject, rung: dict[str, Any], effort: Effort, *, num_random: int, rows_apart: bool
) -> dict[str, Callable[[], Outcome]]:
    """The gates behind batch, in the order of their rows."""
    return {
        "causality": lambda: causality(subject, effort, num_random=num_random, rows_apart=rows_apart),
        "length": lambda: length(subject, effort),
        "padding": lambda: padding(subject),
        "streaming": lambda: streaming(subject),
        "repeat": lambda: repeat(subject),
        "mode": lambda: mode_agreement(subject),
        "buffers": lambda: buffers(subject),
        "gradient": lambda: gradient(subject),
        "precision": lambda: precision(subject, effort),
        "initial-loss": lambda: initial_loss(subject, rung),
        "initialisation": lambda: initialisation(subject),
        "complexity": lambda: complexity(subject),
    }


def _contract_broken(row: dict[str, Any], changes: list[str]) -> dict[str, Any]:
    shown = ", ".join(changes[:3]) + (f" and {len(changes) - 3} more" if len(changes) > 3 else "")
    said = f"it changes {shown} for everyone in the process; libraries must stay as they are"
    return gate_row("contract", failed(said), row["seconds"])


def _require_signature(mixer_class: type[nn.Module]) -> None:
    """The trainer calls Mixer(hidden_size=, num_heads=, layer_index=, num_layers=) and mixer(x) or mixer(x, state)."""
    if not (isinstance(mixer_class, type) and issubclass(mixer_class, nn.Module)):
        raise ReviewError(
            "rejected_static", "Mixer is no subclass of torch.nn.Module; it must be `class Mixer(nn.Module)`"
        )
    for method, calls in (
        (
            mixer_class.__init__,
            [((None,), dict.fromkeys(_INIT_ARGUMENTS, 1)), ((None,), {"hidden_size": 64, "num_heads": 4})],
        ),
        (mixer_class.forward, [((None, None), {}), ((None, None, None), {}), ((None, None), {"state": None})]),
    ):
        signature = inspect.signature(method)
        for positional, named in calls:
            try:
                signature.bind(*positional, **named)
            except TypeError as error:
                wanted = (
                    "__init__(self, hidden_size, num_heads, layer_index=0, num_layers=1)"
                    if method is mixer_class.__init__
                    else "forward(self, x, state=None)"
                )
                raise ReviewError(
                    "rejected_static", f"{method.__name__}{signature} does not fit {wanted}: {error}"
                ) from error


def _not_run(gates: tuple[str, ...], reason: str) -> list[dict[str, Any]]:
    return [gate_row(gate, not_applicable(f"not run: {reason}"), 0.0) for gate in gates]


def _verdict(rows: list[dict[str, Any]], gate: str) -> str:
    return next(row["verdict"] for row in rows if row["gate"] == gate)


def _label(rows: list[dict[str, Any]]) -> str | None:
    """One label for all failures: a broken gate says more than NaN for odd inputs, and both more than a size that
    can be mended.
    """
    fallen = {row["gate"] for row in rows if row["verdict"] == "fail"}
    if not fallen:
        return None
    if fallen - {"finite", "extremes", "parameters"}:
        return "gate"
    return "unmatched" if fallen == {"parameters"} else "nonfinite"


def _detail(rows: list[dict[str, Any]]) -> str:
    fallen = [row for row in rows if row["verdict"] == "fail"]
    if not fallen:
        return f"{sum(row['verdict'] == 'pass' for row in rows)} gates passed"
    return "; ".join(f"{row['gate']}: {row['evidence']}" for row in fallen)[:3900]

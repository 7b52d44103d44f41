"""Scores one trial: asks two processes of the candidate, one for prefixes and one for whole sequences.

The two know nothing of each other. The one asked for prefixes never sees what comes after a cut; the one asked for
whole sequences never learns where the cuts are. Targets stay here. Covers every way to know the future: leaks across
positions, chunks or calls, memory of sequences, detection of evaluation by length, mode, batch or order. Does not cover
a program that learns from the prefixes shown to it, which gains nothing that the other process confirms and is refused
for that.
"""

from __future__ import annotations

import math
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

import numpy as np

from asi_kernels.data.batch import Sequences
from asi_kernels.data.task_data import held_out_sequences
from asi_kernels.snapshots import EARLY_STEP, snapshot_steps

from .estimate import Estimate, disagreement, estimate
from .measure import is_right, losses, total_variation
from .plan import DEPTHS, generated_seed, plan_calls, scored_positions, secret_stream, window_stream
from .wire import Asker, ChannelError, Kind

_ROWS_A_QUESTION = 64
_BYTE_VALUES = 256
# Of the first snapshot, to see whether it is untrained: the mean over so many windows is right to a tenth of a nat.
_EARLY_ROWS = 8
# What one step at the foot of the warm-up can gain is a tenth of this.
_EARLY_MARGIN_NATS = 1.0


class Refused(Exception):
    """The trial has no score. `label` is one of the closed set of failures; the detail names no cut."""

    def __init__(self, label: str, detail: str) -> None:
        super().__init__(f"{label}: {detail}")
        self.label = label
        self.detail = detail


@dataclass(frozen=True)
class Subject:
    """What is scored: the rung's tasks, the trial's seed, the set, and the shard of text [N] uint8 of that set."""

    rung: dict[str, Any]
    seed: int
    score_set: str
    data_hash: str
    text: np.ndarray


@dataclass(frozen=True)
class Measured:
    """One metric of the trial, as the score row has it. full, value and error in the metric's unit."""

    metric: str
    value: float
    full: float
    error: float
    prefixes: int
    cuts: int


@dataclass(frozen=True)
class Outcome:
    """One task of a trial. loss in nats; why_refused: how prefixes and whole sequences contradict each other.

    early: loss in nats of bytes after the first of several steps, beside that of a guess; None for other tasks.
    """

    kind: str
    loss: Estimate
    early: tuple[float, float] | None
    why_refused: str | None
    metrics: list[Measured]


class _Task:
    """One task: its sequences, its calls, and what came back."""

    def __init__(self, key: bytes, subject: Subject, index: int) -> None:
        task = subject.rung["tasks"][index]
        rung, seed = subject.rung["name"], subject.seed
        self.index = index
        self.kind: str = task["kind"]
        self.vocabulary = _BYTE_VALUES if self.kind == "bytes" else int(task["vocabulary"])
        self.steps = snapshot_steps(task)
        self.snapshots = used_snapshots(task)
        # Equal for all candidates on one seed, so that they can be compared in pairs; others on the next seed.
        places = window_stream(key, subject.score_set, subject.data_hash, rung, self.kind, seed)
        self.sequences: Sequences = held_out_sequences(
            task, generated_seed(key, subject.score_set, rung, task, seed), subject.text, places
        )
        self.positions = scored_positions(self.sequences)
        depth = DEPTHS[subject.score_set]
        stream = secret_stream(key, "cuts", subject.score_set, subject.data_hash, rung, self.kind, seed)
        self.calls = plan_calls(self.sequences, len(self.snapshots), depth, stream)
        self.prefix_logits: list[np.ndarray] = []  # [R, V] a call
        self.full_logits: list[np.ndarray] = [  # the same places, from whole sequences
            np.zeros((len(call.rows), self.vocabulary), np.float32) for call in self.calls
        ]
        self.full_loss: list[float] = []  # mean a snapshot
        self.full_right: list[float] = []
        self.early_loss: float | None = None

    def ask_prefixes(self, asker: Asker) -> None:
        for call in self.calls:
            tokens = self.sequences.inputs[call.rows, : call.cut + 1]
            place = (self.index, self.snapshots[call.snapshot])
            self.prefix_logits.append(asker.ask(Kind.LAST, place, tokens, self.vocabulary)[:, 0])

    def ask_sequences(self, asker: Asker) -> None:
        inputs, targets = self.sequences
        if self.kind == "bytes" and len(self.steps) > 1:
            early = self.steps.index(EARLY_STEP)
            logits = asker.ask(Kind.ALL, (self.index, early), inputs[:_EARLY_ROWS], self.vocabulary)
            scored = logits[:, self.positions].reshape(-1, self.vocabulary)
            self.early_loss = float(losses(scored, targets[:_EARLY_ROWS][:, self.positions].reshape(-1)).mean())
        for number, snapshot in enumerate(self.snapshots):
            total_loss, total_right = 0.0, 0.0
            for first in range(0, len(inputs), _ROWS_A_QUESTION):
                rows = slice(first, first + _ROWS_A_QUESTION)
                logits = asker.ask(Kind.ALL, (self.index, snapshot), inputs[rows], self.vocabulary)
                scored = logits[:, self.positions].reshape(-1, self.vocabulary)
                wanted = targets[rows][:, self.positions].reshape(-1)
                total_loss += float(losses(scored, wanted).sum())
                total_right += float(is_right(scored, wanted).sum())
                self._keep(number, first, logits)
            count = len(inputs) * len(self.positions)
            self.full_loss.append(total_loss / count)
            self.full_right.append(total_right / count)

    def _keep(self, snapshot: int, first: int, logits: np.ndarray) -> None:
        """Keeps the predictions at the sampled places among rows first, first + 1, ..."""
        for call, kept in zip(self.calls, self.full_logits, strict=True):
            if call.snapshot == snapshot:
                inside = (call.rows >= first) & (call.rows < first + len(logits))
                kept[inside] = logits[call.rows[inside] - first, call.cut]

    def outcome(self) -> Outcome:
        """What the answers come to."""
        wanted = [self.sequences.targets[call.rows, call.cut] for call in self.calls]
        triples = list(zip(wanted, self.prefix_logits, self.full_logits, strict=True))
        gaps, rights = (
            np.array([(of(prefix, targets) - of(full, targets)).mean() for targets, prefix, full in triples])
            for of in (losses, is_right)
        )
        last = np.array([call.snapshot == len(self.snapshots) - 1 for call in self.calls])
        loss = estimate(float(np.mean(self.full_loss)), gaps)
        right = estimate(self.full_right[-1], rights[last])
        distances = np.concatenate([total_variation(prefix, full) for _, prefix, full in triples])
        return Outcome(
            kind=self.kind,
            loss=loss,
            early=None if self.early_loss is None else (self.early_loss, math.log(self.vocabulary)),
            why_refused=disagreement(loss, distances),
            metrics=[self._measured(*row) for row in _metrics_of(self.kind, loss, right)],
        )

    def _measured(self, metric: str, found: Estimate, unit: float) -> Measured:
        last_only = metric == "recall-accuracy"
        calls = [c for c in self.calls if not last_only or c.snapshot == len(self.snapshots) - 1]
        return Measured(
            metric=metric,
            value=found.value * unit,
            full=found.full * unit,
            error=found.standard_error * unit,
            prefixes=sum(len(call.rows) for call in calls),
            cuts=len({call.cut for call in calls}),
        )


def examine(key: bytes, subject: Subject, *, prefixes: Asker, sequences: Asker) -> list[Measured]:
    """Every metric of a trial. Raises Refused: integrity, nonfinite, bad_result, no_result, timeout_idle."""
    return accepted(ask(key, subject, prefixes=prefixes, sequences=sequences))


def accepted(outcomes: list[Outcome]) -> list[Measured]:
    """The metrics of all tasks. Raises Refused (integrity) when one contradicts itself or did not begin untrained."""
    for outcome in outcomes:
        if outcome.early is not None and outcome.early[0] < outcome.early[1] - _EARLY_MARGIN_NATS:
            raise Refused(
                "integrity",
                f"task {outcome.kind}: after its first step it has a loss of {outcome.early[0]:.2f} nats, and a guess"
                f" has {outcome.early[1]:.2f}: a training must begin at the initial weights of its own program",
            )
        if outcome.why_refused is not None:
            raise Refused(
                "integrity",
                f"task {outcome.kind}: asked for prefixes the program answers otherwise than for whole sequences:"
                f" {outcome.why_refused}. A prediction must depend on nothing but the tokens up to its own",
            )
    return [row for outcome in outcomes for row in outcome.metrics]


def ask(key: bytes, subject: Subject, *, prefixes: Asker, sequences: Asker) -> list[Outcome]:
    """What both processes answer, task by task. Raises Refused where one does not answer as it should."""
    tasks = [_Task(key, subject, index) for index in range(len(subject.rung["tasks"]))]
    try:
        with ThreadPoolExecutor(2) as pool:
            halves = [
                pool.submit(_ask_all, [task.ask_prefixes for task in tasks], prefixes),
                pool.submit(_ask_all, [task.ask_sequences for task in tasks], sequences),
            ]
            done, _ = wait(halves, return_when=FIRST_EXCEPTION)
            if any(half.exception() is not None for half in done):
                prefixes.give_up()
                sequences.give_up()
        for half in sorted(halves, key=lambda half: half not in done):
            half.result()
    except ChannelError as error:
        raise Refused(error.label, error.detail) from error
    return [task.outcome() for task in tasks]


def used_snapshots(task: dict[str, Any]) -> list[int]:
    """Indices of the snapshots that the task's metrics are made of: all for the area under the curve, else the last."""
    count = len(snapshot_steps(task))
    return list(range(count)) if task["kind"] == "recall" else [count - 1]


def _ask_all(asks: list[Any], asker: Asker) -> None:
    try:
        asker.await_hello()
        for ask in asks:
            ask(asker)
    finally:
        asker.end()


def _metrics_of(kind: str, loss: Estimate, right: Estimate) -> list[tuple[str, Estimate, float]]:
    match kind:
        case "bytes":
            return [("bits-per-byte", loss, 1 / math.log(2))]
        case "recall":
            return [("recall-auc", loss, 1.0), ("recall-accuracy", right, 1.0)]
        case "copy":
            return [("copy-loss", loss, 1.0)]
    raise ValueError(f"task kind is {kind!r}; it must be bytes, recall or copy")

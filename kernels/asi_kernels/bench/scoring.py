"""A whole scoring on this machine without host and worker: two forked children answer, this process judges.

For benchmarks, tables and tests. The numbers are those of the product: the same answering code, the same judge.
"""

from __future__ import annotations

import os
import resource
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from asi_kernels.data.split import shard_name
from asi_kernels.judge.examine import Measured, Outcome, Subject, accepted, ask
from asi_kernels.judge.home import DATA_NAME, read_or_make_key
from asi_kernels.judge.wire import Answerer, Asker

_ANSWER_SECONDS = 120.0

Answer = Callable[[Answerer], None]
"""Answers questions until the judge says that it has enough."""


@dataclass(frozen=True)
class LocalScore:
    """What the judge found, with its cost: CPU seconds of the two answering processes together, and of the judge."""

    outcomes: list[Outcome]
    answer_seconds: float
    judge_seconds: float

    @property
    def metrics(self) -> list[Measured]:
        """The metrics of the trial. Raises Refused (integrity)."""
        return accepted(self.outcomes)


def score_locally(request: dict[str, Any], judge_home: Path, score_set: str) -> LocalScore:
    """Scores a trained checkpoint. `request` holds the fields of an answerRequest and the data manifest as `data`.

    Raises Refused where the processes do not answer as they should; `metrics` of what comes back raises for a trial
    that the judge refuses.
    """
    text = np.fromfile(judge_home / DATA_NAME / request["data"]["hash"] / shard_name(score_set), dtype=np.uint8)
    subject = Subject(request["rung"], request["seed"], score_set, request["data"]["hash"], text)

    def answer_request(answerer: Answerer) -> None:
        from asi_kernels.score.answer import answer

        result = answer(request, answerer, lambda line: None)
        if result["status"] != "answered":
            raise RuntimeError(f"{result['label']}: {result['detail']}")

    return judge_answers(read_or_make_key(judge_home), subject, answer_request)


def judge_answers(key: bytes, subject: Subject, answer: Answer) -> LocalScore:
    """Judges what `answer` says in two fresh processes. Raises Refused."""
    children, askers = [], []
    before = resource.getrusage(resource.RUSAGE_SELF)
    for _ in range(2):
        pid, asker = _fork(answer, askers)
        children.append(pid)
        askers.append(asker)
    try:
        outcomes = ask(key, subject, prefixes=askers[0], sequences=askers[1])
    finally:
        for asker in askers:
            asker.close()
        answer_seconds = sum(_cpu_seconds(os.wait4(pid, 0)[2]) for pid in children)
    after = resource.getrusage(resource.RUSAGE_SELF)
    return LocalScore(outcomes, answer_seconds, _cpu_seconds(after) - _cpu_seconds(before))


def _fork(answer: Answer, others: list[Asker]) -> tuple[int, Asker]:
    question_reader, question_writer = os.pipe()
    answer_reader, answer_writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        for asker in others:
            asker.close()
        os.close(question_writer)
        os.close(answer_reader)
        _run(answer, Answerer(question_reader, answer_writer))
    os.close(question_reader)
    os.close(answer_writer)
    return pid, Asker(question_writer, answer_reader, _ANSWER_SECONDS)


def _run(answer: Answer, answerer: Answerer) -> NoReturn:
    status = 1
    try:
        answer(answerer)
        status = 0
    except BaseException:  # the edge of the process
        traceback.print_exc()
    finally:
        os._exit(status)


def _cpu_seconds(usage: Any) -> float:
    return usage.ru_utime + usage.ru_stime

"""The `answer` command: fresh models, the snapshots loaded into them, predictions for whatever the judge asks.

As in training no candidate code runs in this process: the mixers of a task compute in a process of their own
(train/layers), which gets the x of a layer and gives its y. Tokens, embedding, MLPs, logits, checkpoint and result are
here, and no target, metric or held-out text but the tokens of the questions; what goes back are plain numbers that the
judge checks and normalises. What mixers keep from one question to the next they keep: a trial is answered by two such
commands that know nothing of each other (judge/examine.py). Of its sizes and shapes a layer process learns those of x.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from asi_kernels.commands import Report
from asi_kernels.judge.wire import Answerer, Kind, Question
from asi_kernels.models.language_model import LanguageModel, build_model
from asi_kernels.numerics import settle_numerics
from asi_kernels.snapshots import most_entries, snapshot_steps
from asi_kernels.train.layers.link import LayerLink
from asi_kernels.train.layers.server import Confine
from asi_kernels.train.layers.work import answering
from asi_kernels.train.run import require_consistent, unconfined
from asi_kernels.train.trial_failed import TrialFailed

from .fixed_logits import fixed_tokens, logits_facts, made_with
from .questions import most_positions, require_answerable
from .snapshots import SnapshotFile, StateDict

# The host gives the child these ends of the two pipes to the judge.
QUESTIONS_DESCRIPTOR = 4
ANSWERS_DESCRIPTOR = 5


def run(request: dict[str, Any], workdir: Path, report: Report, confine: Confine = unconfined) -> dict[str, Any]:
    """answerRequest to answerResult. Raises RequestError for a request whose parts do not fit each other."""
    del workdir
    return answer(request, Answerer(QUESTIONS_DESCRIPTOR, ANSWERS_DESCRIPTOR), report, confine)


def answer(
    request: dict[str, Any], answerer: Answerer, report: Report, confine: Confine = unconfined
) -> dict[str, Any]:
    """Answers until the judge says that it has enough.

    Raises RequestError, and ChannelError when the judge is gone or asks for what no judge asks of the rung.
    """
    require_consistent(request)
    started = time.process_time()
    settle_numerics()
    tasks = request["rung"]["tasks"]
    # All before anything is loaded or read: none finds a weight, a token or what a program left in another.
    links = [LayerLink(request, index, answering(most_positions(task)), confine) for index, task in enumerate(tasks)]
    snapshots = SnapshotFile(Path(request["checkpointPath"]), most_entries(request))
    label, detail, fixed_logits = None, "", None
    try:
        models = _Models(request, links, snapshots)
        answerer.say_hello()
        while (question := answerer.next_question()).kind is not Kind.END:
            require_answerable(question, tasks)
            answerer.answer(models.predict(question))
            report(None)
        fixed_logits = models.fixed_logits()
    except TrialFailed as failure:
        label, detail = failure.label, failure.detail
    finally:
        for link in links:
            link.close()
    return {
        "trialId": request["trialId"],
        "status": "answered" if label is None else "failed",
        "label": label,
        "detail": detail,
        "device": "cpu",
        "cpuSeconds": time.process_time() - started + sum(link.cpu_seconds() for link in links),
        "fixedLogits": fixed_logits,
    }


class _Models:
    """The model of each task, with the weights of the snapshot that was asked for last."""

    def __init__(self, request: dict[str, Any], links: list[LayerLink], snapshots: SnapshotFile) -> None:
        self._tasks: list[dict[str, Any]] = request["rung"]["tasks"]
        self._links = links
        self._snapshots = snapshots
        mlp_hidden = {size["task"]: size["mlpHidden"] for size in request["sizes"]}
        self._models: list[LanguageModel] = []
        expected: dict[str, StateDict] = {}
        for task, link in zip(self._tasks, links, strict=True):
            kind = task["kind"]
            link.where = f"building the model of task {kind}"
            link.build()
            model = build_model(link.mixer, request["rung"], task, mlp_hidden[kind], request["seed"]).eval()
            state = model.state_dict()
            self._models.append(model)
            expected |= {f"{kind}/{step}/": state for step in snapshot_steps(task)}
        snapshots.require(expected)
        self._loaded: list[int | None] = [None] * len(self._tasks)

    def predict(self, question: Question) -> np.ndarray:
        """Logits [R, 1 or L, V] float32."""
        logits = self._logits(question.task, question.snapshot, torch.from_numpy(question.tokens.astype(np.int64)))
        return (logits[:, -1:] if question.kind is Kind.LAST else logits).numpy()

    def fixed_logits(self) -> dict[str, Any] | None:
        """What the final weights of each task say to the fixed input (loadedLogits).

        None where that is not finite, or raises: the judge has its answers, and this decides nothing about the trial.
        """
        facts = []
        for index, task in enumerate(self._tasks):
            tokens = fixed_tokens(self._models[index].vocabulary)
            try:
                logits = self._logits(index, len(snapshot_steps(task)) - 1, tokens)
            except TrialFailed:
                return None
            facts.append(logits_facts(task["kind"], logits))
        return None if None in facts else {**made_with(), "tasks": facts}

    def _logits(self, index: int, snapshot: int, tokens: torch.Tensor) -> torch.Tensor:
        """[R, L, V] float32 for tokens [R, L] of the task with this index, with the weights of this snapshot."""
        task, model, link = self._tasks[index], self._models[index], self._links[index]
        step = snapshot_steps(task)[snapshot]
        link.where = f"task {task['kind']}, snapshot {step}"
        if self._loaded[index] != snapshot:
            prefix = f"{task['kind']}/{step}/"
            model.load_state_dict(self._snapshots.read(prefix, list(model.state_dict())))
            link.load()
            self._loaded[index] = snapshot
        with torch.no_grad():
            return model(tokens).float()

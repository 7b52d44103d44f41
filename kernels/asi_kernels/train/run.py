"""The `train` command: every task of the rung in order, from one seed. Request and result: contracts/trial.ts.

The trainer holds the data, the loss, the optimiser and every weight, and runs no candidate code: the mixers of a task
compute in a process of their own (train/layers), which sees activations and gradients and ends with its task.

Killed at any moment and run again in the same work folder, it goes on from its last checkpoint and ends with the same
losses and weights, bit for bit. It holds for mixers whose state within a task is in parameters, buffers and torch's own
random numbers. Snapshots hold the parameters that were trained, and buffers as they were at first.
"""

from __future__ import annotations

import math
import random
import resource
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from asi_kernels.commands import Report
from asi_kernels.data.batch import Batch
from asi_kernels.data.task_data import training_data
from asi_kernels.gradients import LIMIT
from asi_kernels.models.language_model import LanguageModel, build_model
from asi_kernels.numerics import settle_numerics
from asi_kernels.programs import program_hash
from asi_kernels.requests import RequestError
from asi_kernels.snapshots import snapshot_steps

from .checkpoint import Checkpoint, CheckpointFolder, Progress, sync_folder
from .gradient_check import GradientCheck, GradientLot
from .layers.link import LayerLink
from .layers.server import Confine
from .layers.work import training
from .loss import mean_loss
from .optimiser import Optimiser
from .trial_failed import TrialFailed

SNAPSHOTS_NAME = "snapshots.safetensors"


def unconfined(on_breach: Callable[[str, str], None], program: str) -> None:
    """Candidate code keeps what this process has: for a caller that guards the whole of it, or needs no guard."""


def run(request: dict[str, Any], workdir: Path, report: Report, confine: Confine = unconfined) -> dict[str, Any]:
    """trainRequest to trainResult. Raises RequestError for a request whose parts do not fit each other."""
    require_consistent(request)
    settle_numerics()
    folder = CheckpointFolder(workdir, request)
    # All before anything of the trial is read or trained: none finds what an earlier task or attempt has learnt.
    tasks = request["rung"]["tasks"]
    links = [LayerLink(request, index, training(task), confine) for index, task in enumerate(tasks)]
    trial = _Trial(request, workdir, report, folder, links)
    label, detail = None, ""
    try:
        trial.train()
    except TrialFailed as failure:
        label, detail = failure.label, failure.detail
    finally:
        # Dead before anything of the result is written.
        for link in links:
            link.close()
    if label is None:
        trial.join_snapshots()
    return trial.result(label=label, detail=detail)


class _Trial:
    """One attempt at a trial: its progress goes on from the last checkpoint in `workdir`."""

    def __init__(
        self, request: dict[str, Any], workdir: Path, report: Report, folder: CheckpointFolder, links: list[LayerLink]
    ) -> None:
        self._request = request
        self._workdir = workdir
        self._report = report
        self._folder = folder
        self._links = links
        self._found = folder.load()
        self._progress = self._found.progress if self._found else Progress()
        self._earlier_cpu_seconds = self._progress.cpu_seconds
        self._started = time.process_time()
        self._lot = GradientLot(request["rung"]["tasks"], begins_at=(self._progress.task_index, self._progress.step))
        # Where this attempt keeps checkpoints, by a lot that no process of its layers knows: a program whose state lies
        # outside its buffers cannot empty it there, and so pass for one that is the same when it is gone on with.
        self._offset = random.SystemRandom().randrange(request["checkpointEvery"])

    def train(self) -> None:
        while self._progress.task_index < len(self._request["rung"]["tasks"]):
            self._train_task(self._progress.task_index)

    def join_snapshots(self) -> None:
        steps = {task["kind"]: snapshot_steps(task) for task in self._request["rung"]["tasks"]}
        self._folder.join_snapshots(self._workdir / SNAPSHOTS_NAME, steps)
        sync_folder(self._workdir)

    def _train_task(self, task_index: int) -> None:
        request, progress, link = self._request, self._progress, self._links[task_index]
        task = request["rung"]["tasks"][task_index]
        kind, steps = task["kind"], task["steps"]
        mlp_hidden = next(size["mlpHidden"] for size in request["sizes"] if size["task"] == kind)
        link.where = f"building the model of task {kind}"
        link.build()
        model = build_model(link.mixer, request["rung"], task, mlp_hidden, request["seed"]).train()
        optimiser = Optimiser(model, task)
        self._resume(model, optimiser, link)
        batch_of = training_data(task, request["seed"], request["data"]["folder"])
        snapshots = set(snapshot_steps(task))
        while progress.step < steps:
            link.where = f"task {kind}, step {progress.step + 1}"
            batch = batch_of(progress.step)
            # Before every step, so that none looks like the one that will be checked.
            check = GradientCheck(model, link, batch, before=link.keep(), beat=self._beat)
            loss = _step(
                model, optimiser, batch, step=progress.step, kind=kind, gradients_came=partial(self._check, check, kind)
            )
            value = loss.item()
            progress.add_loss(loss, value)
            progress.step += 1
            progress.tokens += task["batch"] * task["length"]
            finite = math.isfinite(value)
            if not finite or progress.step % request["reportEvery"] == 0 or progress.step == steps:
                self._report_progress(task, finite=finite)
            if not finite:
                raise TrialFailed(
                    "nonfinite", f"the training loss of task {kind} is {value} at step {progress.step} of {steps}"
                )
            if progress.step in snapshots:
                _require_finite(model, f"task {kind}, step {progress.step} of {steps}")
                self._folder.store_snapshot(kind, progress.step, model.state_dict())
            if (progress.step + self._offset) % request["checkpointEvery"] == 0 and progress.step < steps:
                self._store(model, optimiser, link)
        progress.pulls.append({"task": kind, "pull": optimiser.pull, "pullOfOne": optimiser.pull_of_one})
        progress.task_index += 1
        progress.step, progress.loss_sum, progress.num_losses = 0, 0.0, 0
        link.close()
        self._store(None, None, None)

    def _check(self, check: GradientCheck, kind: str) -> None:
        """Where the lot says so. Raises TrialFailed for gradients that are not those of the loss."""
        progress = self._progress
        if not self._lot.is_due(progress.task_index, progress.step):
            return
        mismatch = check.finding().mismatch
        if mismatch:
            raise TrialFailed(
                "integrity",
                f"at step {progress.step + 1} of task {kind} the gradients that its layers sent are not those of their "
                f"forward pass: {mismatch.name}, moved along {mismatch.num_looks} directions, left "
                f"{mismatch.share:.0%} of the loss's change unexplained (limit {LIMIT:.0%}); let autograd "
                "differentiate what forward computes, with nothing detached, rescaled or passed straight through",
            )

    def _beat(self) -> None:
        self._report(None)

    def _resume(self, model: LanguageModel, optimiser: Optimiser, link: LayerLink) -> None:
        found, self._found = self._found, None
        if found is None or found.model is None:
            return
        shapes = {name: tensor.shape for name, tensor in model.state_dict().items()}
        if shapes != {name: tensor.shape for name, tensor in found.model.items()}:
            raise TrialFailed(
                "nondeterministic", "its mixers have other tensors than those that it began the trial with"
            )
        model.load_state_dict(found.model)
        optimiser.load_state(found.optimiser or {})
        link.restore(found.layers or {})

    def _store(self, model: LanguageModel | None, optimiser: Optimiser | None, link: LayerLink | None) -> None:
        self._progress.cpu_seconds = self._cpu_seconds()
        self._folder.store(
            Checkpoint(
                self._progress,
                model.state_dict() if model else None,
                optimiser.state() if optimiser else None,
                link.keep() if link else None,
            )
        )

    def _report_progress(self, task: dict[str, Any], *, finite: bool) -> None:
        progress = self._progress
        mean = progress.loss_sum / max(1, progress.num_losses) if finite else None
        point = {"task": task["kind"], "step": progress.step, "loss": mean, "cpuSeconds": self._cpu_seconds()}
        progress.curve.append(point)
        progress.loss_sum, progress.num_losses = 0.0, 0
        self._report({**point, "steps": task["steps"], "tokens": progress.tokens})

    def _cpu_seconds(self) -> float:
        own = time.process_time() - self._started
        return self._earlier_cpu_seconds + own + sum(link.cpu_seconds() for link in self._links)

    def result(self, *, label: str | None, detail: str) -> dict[str, Any]:
        progress, cpu_seconds = self._progress, self._cpu_seconds()
        return {
            "trialId": self._request["trialId"],
            "status": "trained" if label is None else "failed",
            "label": label,
            "detail": detail,
            "curve": progress.curve,
            "pulls": progress.pulls,
            "checkpointPath": str(self._workdir / SNAPSHOTS_NAME) if label is None else None,
            "cpuSeconds": cpu_seconds,
            "earlierCpuSeconds": self._earlier_cpu_seconds,
            "tokens": progress.tokens,
            "tokensPerSecond": progress.tokens / cpu_seconds if progress.tokens and cpu_seconds > 0 else None,
            # Trainer and layer process share most of what either holds.
            "peakMemoryBytes": 1024
            * max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)),
            "lossDigest": progress.loss_digest,
            "torchVersion": str(torch.__version__),
        }


def _step(
    model: LanguageModel,
    optimiser: Optimiser,
    batch: Batch,
    *,
    step: int,
    kind: str,
    gradients_came: Callable[[], None],
) -> torch.Tensor:
    """One optimiser step (from 0). Returns its loss, a scalar. One that is not finite changes no weight."""
    loss = mean_loss(model(batch.inputs), batch.targets)
    if not math.isfinite(loss.item()):
        return loss.detach()
    loss.backward()
    gradients_came()
    norm = optimiser.step(step)
    if not math.isfinite(norm):
        raise TrialFailed("nonfinite", f"the gradient norm of task {kind} is {norm} at step {step + 1}")
    return loss.detach()


def _require_finite(model: nn.Module, where: str) -> None:
    for name, parameter in model.named_parameters():
        if not torch.isfinite(parameter).all():
            raise TrialFailed("nonfinite", f"parameter {name} is not finite at {where}")


def require_consistent(request: dict[str, Any]) -> None:
    kinds = [task["kind"] for task in request["rung"]["tasks"]]
    if len(set(kinds)) != len(kinds):
        raise RequestError(f"rung.tasks has the kinds {', '.join(kinds)}; each may be there once")
    sized = {size["task"] for size in request["sizes"]}
    missing = [kind for kind in kinds if kind not in sized]
    if missing:
        raise RequestError(f"sizes has no entry for task {missing[0]}; it must have one for each of {', '.join(kinds)}")
    try:
        found = program_hash(request["programPath"])
    except OSError as error:
        raise RequestError(
            f"programPath is {request['programPath']!r}, which cannot be read ({error.strerror})"
        ) from error
    if found != request["programHash"]:
        raise RequestError(f"programHash is {request['programHash']}, but the file at programPath has {found}")

"""The `score` command: fresh models, the snapshots loaded into them, metrics on held-out data.

The metrics are those of contracts/score.ts. Candidate code runs in this process while it is scored, so a program that
means to cheat could; what stands against it is that scoring is another process than training, sees no training text and
holds no credentials.
"""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import torch

from asi_kernels.commands import Report
from asi_kernels.data.batch import IGNORED, Batch
from asi_kernels.data.task_data import held_out_data
from asi_kernels.models.language_model import LanguageModel, build_model
from asi_kernels.numerics import settle_numerics
from asi_kernels.programs import load_mixer_class
from asi_kernels.train.candidate_edge import TrialFailed, candidate_edge
from asi_kernels.train.checkpoint import snapshot_steps
from asi_kernels.train.loss import summed_loss
from asi_kernels.train.run import require_consistent

from .snapshots import read_snapshot, require_snapshots

SCORER_VERSION = "1"
_ROWS_A_PASS = 64


def run(request: dict[str, Any], workdir: Path, report: Report) -> dict[str, Any]:
    """scoreRequest to scoreResult. Raises RequestError for a request whose parts do not fit each other."""
    del workdir
    require_consistent(request)
    started = time.process_time()
    settle_numerics()
    metrics: list[dict[str, Any]] = []
    label, detail = None, ""
    try:
        metrics = _measure(request, report)
    except TrialFailed as failure:
        label, detail = failure.label, failure.detail
    return {
        "trialId": request["trialId"],
        "status": "scored" if label is None else "failed",
        "label": label,
        "detail": detail,
        "metrics": metrics,
        "scorerVersion": SCORER_VERSION,
        "device": "cpu",
        "cpuSeconds": time.process_time() - started,
    }


def _measure(request: dict[str, Any], report: Report) -> list[dict[str, Any]]:
    with candidate_edge("importing the program"):
        mixer_class = load_mixer_class(request["programPath"])
    mlp_hidden = {size["task"]: size["mlpHidden"] for size in request["sizes"]}
    models: dict[str, LanguageModel] = {}
    expected = {}
    for task in request["rung"]["tasks"]:
        kind = task["kind"]
        with candidate_edge(f"building the model of task {kind}"):
            models[kind] = build_model(mixer_class, request["rung"], task, mlp_hidden[kind], request["seed"]).eval()
            state = models[kind].state_dict()
        expected |= {f"{kind}/{step}/": state for step in snapshot_steps(task)}
    path = Path(request["checkpointPath"])
    require_snapshots(path, expected)

    metrics = []
    for task in request["rung"]["tasks"]:
        kind, model = task["kind"], models[task["kind"]]
        batch = held_out_data(task, request["seed"], request["data"]["folder"])
        steps = snapshot_steps(task)
        losses, accuracy = [], math.nan
        # A metric of the last snapshot needs no other; the area under the curve needs them all.
        for step in steps if kind == "recall" else steps[-1:]:
            model.load_state_dict(read_snapshot(path, f"{kind}/{step}/", list(model.state_dict())))
            loss, accuracy = evaluate(model, batch, where=f"task {kind}, snapshot {step}", report=report)
            losses.append(loss)
        metrics += _metrics_of(kind, losses, accuracy)
    return metrics


def evaluate(model: LanguageModel, batch: Batch, *, where: str, report: Report) -> tuple[float, float]:
    """Mean cross-entropy in nats and share right over the scored positions of a batch. Raises TrialFailed."""
    total_loss, num_right, num_scored = 0.0, 0, 0
    with torch.no_grad():
        for inputs, targets in zip(batch.inputs.split(_ROWS_A_PASS), batch.targets.split(_ROWS_A_PASS), strict=True):
            with candidate_edge(where):
                logits = model(inputs)
            scored = targets != IGNORED
            total_loss += summed_loss(logits, targets)
            num_right += int((logits.argmax(-1) == targets)[scored].sum())
            num_scored += int(scored.sum())
            report(None)
    loss = total_loss / num_scored
    if not math.isfinite(loss):
        raise TrialFailed("nonfinite", f"the held-out loss is {loss} at {where}")
    return loss, num_right / num_scored


def _metrics_of(kind: str, losses: list[float], accuracy: float) -> list[dict[str, Any]]:
    match kind:
        case "bytes":
            return [{"metric": "bits-per-byte", "value": losses[-1] / math.log(2)}]
        case "recall":
            mean = sum(losses) / len(losses)
            return [{"metric": "recall-auc", "value": mean}, {"metric": "recall-accuracy", "value": accuracy}]
        case "copy":
            return [{"metric": "copy-loss", "value": losses[-1]}]
    raise ValueError(f"task kind is {kind!r}; it must be bytes, recall or copy")

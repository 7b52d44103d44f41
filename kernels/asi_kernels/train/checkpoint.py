"""Files of a running trial: safetensors only, each there whole or not at all.

`state.safetensors` is what a killed trial goes on from; `<task>-<step>.safetensors` are the snapshots for the scorer.
Covers a kill at any moment. Does not cover state that a mixer keeps outside parameters, buffers and torch's own random
numbers.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from asi_kernels.requests import write_atomically

FOLDER = "checkpoints"
_STATE_NAME = "state.safetensors"
_STATE_FORM = 2  # what of another form was left by an older version is not gone on from
_IDENTITY_FIELDS = ("trialId", "programHash", "rung", "sizes", "seed")


@dataclass
class Progress:
    """Where a trial stands. Loss sums belong to the report that is not written yet."""

    task_index: int = 0
    step: int = 0  # steps of the current task that are done
    tokens: int = 0  # of all tasks
    cpu_seconds: float = 0.0  # of all attempts, up to this checkpoint
    loss_digest: str = hashlib.sha256().hexdigest()
    loss_sum: float = 0.0
    num_losses: int = 0
    curve: list[dict[str, Any]] = field(default_factory=list)
    pulls: list[dict[str, Any]] = field(default_factory=list)  # of the tasks that are done

    def add_loss(self, loss: torch.Tensor, value: float) -> None:
        """Chains the exact bits of one loss to the digest of those before."""
        bits = loss.detach().numpy().tobytes()
        self.loss_digest = hashlib.sha256(bytes.fromhex(self.loss_digest) + bits).hexdigest()
        self.loss_sum += value
        self.num_losses += 1


@dataclass(frozen=True)
class Checkpoint:
    """What a trial goes on from. The tensors are None between two tasks."""

    progress: Progress
    model: dict[str, torch.Tensor] | None
    optimiser: dict[str, torch.Tensor] | None
    layers: dict[str, torch.Tensor] | None
    """What the layer process goes on from; only it reads that."""


class CheckpointFolder:
    """The checkpoints of one trial below its work folder."""

    def __init__(self, workdir: Path, request: dict[str, Any]) -> None:
        self._folder = workdir / FOLDER
        self._folder.mkdir(exist_ok=True)
        self._identity = _identity(request)

    def load(self) -> Checkpoint | None:
        """The last checkpoint of this very request, or None: none, one of another request, or one that is damaged."""
        try:
            tensors = load((self._folder / _STATE_NAME).read_bytes())
            facts = json.loads(tensors.pop("facts").numpy().tobytes())
        except (FileNotFoundError, SafetensorError, KeyError, ValueError):
            return None
        if facts.get("identity") != self._identity or set(facts["progress"]) != {
            entry.name for entry in fields(Progress)
        }:
            return None
        model, optimiser = _part(tensors, "model/"), _part(tensors, "optimiser/")
        layers = _part(tensors, "layers/")
        return Checkpoint(Progress(**facts["progress"]), model or None, optimiser or None, layers or None)

    def store(self, checkpoint: Checkpoint) -> None:
        facts = json.dumps({"identity": self._identity, "progress": asdict(checkpoint.progress)}).encode()
        tensors = {"facts": torch.frombuffer(bytearray(facts), dtype=torch.uint8)}
        tensors |= {f"model/{name}": value for name, value in (checkpoint.model or {}).items()}
        tensors |= {f"optimiser/{name}": value for name, value in (checkpoint.optimiser or {}).items()}
        tensors |= {f"layers/{name}": value for name, value in (checkpoint.layers or {}).items()}
        write_atomically(self._folder / _STATE_NAME, save(_separate(tensors)))

    def store_snapshot(self, task: str, step: int, model: dict[str, torch.Tensor]) -> None:
        write_atomically(self._snapshot_path(task, step), save(_separate(model)))

    def join_snapshots(self, path: Path, steps_of_tasks: dict[str, list[int]]) -> None:
        """One file of every snapshot, with keys `<task>/<step>/<parameter>`."""
        tensors = {
            f"{task}/{step}/{name}": value
            for task, steps in steps_of_tasks.items()
            for step in steps
            for name, value in load(self._snapshot_path(task, step).read_bytes()).items()
        }
        write_atomically(path, save(tensors))

    def _snapshot_path(self, task: str, step: int) -> Path:
        return self._folder / f"{task}-{step}.safetensors"


def sync_folder(folder: Path) -> None:
    """Puts the names in a folder on disk, so that a power cut does not undo a rename."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _identity(request: dict[str, Any]) -> str:
    facts = {name: request[name] for name in _IDENTITY_FIELDS} | {"data": request["data"]["hash"]}
    # Another torch may round otherwise: a trial is not continued across versions.
    facts |= {"torch": torch.__version__, "form": _STATE_FORM}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _part(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _separate(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Own, dense memory for each tensor, as the format demands: a candidate may tie or transpose its parameters."""
    return {name: value.detach().clone(memory_format=torch.contiguous_format) for name, value in tensors.items()}

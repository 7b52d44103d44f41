"""Scoring: exact numbers, held-out data alone, and no trust in the checkpoint file."""

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from asi_kernels.data.batch import IGNORED, Batch
from asi_kernels.requests import schema_problem
from asi_kernels.score import run as score
from asi_kernels.train import run as train


class Fixed(nn.Module):
    """Always the same logits [V]."""

    def __init__(self, probabilities: list[float]) -> None:
        super().__init__()
        self.logits = torch.tensor(probabilities).log()

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.logits.expand(*tokens.shape, -1)


def test_loss_and_accuracy_are_means_over_the_scored_positions() -> None:
    targets = torch.full((130, 3), IGNORED)
    targets[:, 0] = 1
    targets[:65, 2] = 0
    batch = Batch(torch.zeros(130, 3, dtype=torch.int64), targets)
    loss, accuracy = score.evaluate(Fixed([0.25, 0.7, 0.05]), batch, where="test", report=lambda line: None)
    expected = -(130 * math.log(0.7) + 65 * math.log(0.25)) / 195
    assert loss == pytest.approx(expected, rel=1e-6)
    assert accuracy == pytest.approx(130 / 195)


@pytest.fixture
def trial(tmp_path: Path, make_trial: Any, plain_program: str, score_request: Any) -> dict[str, Any]:
    result = train.run(make_trial(tmp_path, plain_program, steps=6), tmp_path, lambda line: None)
    assert result["status"] == "trained", result
    return score_request(make_trial(tmp_path, plain_program, steps=6), result["checkpointPath"])


def scored(request: dict[str, Any], workdir: Path) -> dict[str, Any]:
    result = score.run(request, workdir, lambda line: None)
    assert schema_problem("score-result", result) is None
    return result


def metrics(result: dict[str, Any]) -> dict[str, float]:
    return {row["metric"]: row["value"] for row in result["metrics"]}


def test_each_task_has_its_metrics_and_they_are_the_same_again(trial: dict[str, Any], tmp_path: Path) -> None:
    first = metrics(scored(trial, tmp_path))
    assert set(first) == {"bits-per-byte", "recall-auc", "recall-accuracy"}
    assert 0 < first["bits-per-byte"] < 9
    assert 0 <= first["recall-accuracy"] <= 1
    assert metrics(scored(trial, tmp_path)) == first


def test_recall_auc_is_the_mean_over_snapshots_and_the_rest_is_of_the_last(
    trial: dict[str, Any], tmp_path: Path
) -> None:
    both = metrics(scored(trial, tmp_path))
    kept = load_file(trial["checkpointPath"])
    for name, value in kept.items():
        if "/3/" in name:
            value.copy_(kept[name.replace("/3/", "/6/")])
    save_file(kept, trial["checkpointPath"])
    last = metrics(scored(trial, tmp_path))
    assert last["recall-auc"] != both["recall-auc"]
    assert last["bits-per-byte"] == both["bits-per-byte"]
    assert last["recall-accuracy"] == both["recall-accuracy"]


def test_only_held_out_text_is_read(trial: dict[str, Any], tmp_path: Path) -> None:
    expected = metrics(scored(trial, tmp_path))["bits-per-byte"]
    copy = tmp_path / "data"
    copy.mkdir()
    held_out = (Path(trial["data"]["folder"]) / "heldout.bin").read_bytes()
    (copy / "heldout.bin").write_bytes(held_out)  # and no train.bin at all
    moved = {**trial, "data": {**trial["data"], "folder": str(copy)}}
    assert metrics(scored(moved, tmp_path))["bits-per-byte"] == expected
    (copy / "heldout.bin").write_bytes(bytes(reversed(held_out)))
    assert metrics(scored(moved, tmp_path))["bits-per-byte"] != expected


def change_tensors(change: Callable[[dict[str, torch.Tensor]], object]) -> Callable[[Path], None]:
    def apply(path: Path) -> None:
        tensors = load_file(path)
        change(tensors)
        save_file(tensors, path)

    return apply


def oversize_header(path: Path) -> None:
    path.write_bytes((1 << 60).to_bytes(8, "little") + b"{}")


def replace_by_link(path: Path) -> None:
    path.rename(path.with_suffix(".moved"))
    path.symlink_to(path.with_suffix(".moved"))


def replace_by_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def overlap(path: Path) -> None:
    header = json.dumps({"a": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 4]}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + b"\0" * 4)


LAST = "bytes/6/embedding.weight"
FORGERIES = {
    "missing": (lambda path: path.unlink(), "bad_result", "is not there"),
    "a link": (replace_by_link, "bad_result", "no plain file"),
    "a pipe": (replace_by_pipe, "bad_result", "no plain file"),
    "cut off": (lambda path: path.write_bytes(path.read_bytes()[:-4]), "bad_result", "safetensors"),
    "a giant header": (oversize_header, "bad_result", "safetensors"),
    "a false shape": (overlap, "bad_result", "safetensors"),
    "a name less": (change_tensors(lambda kept: kept.pop(LAST)), "bad_result", f"lacks '{LAST}'"),
    "a name more": (change_tensors(lambda kept: kept.update(a=torch.zeros(1))), "bad_result", "unknown 'a'"),
    "another shape": (change_tensors(lambda kept: kept.update({LAST: kept[LAST].T.contiguous()})), "bad_result", LAST),
    "another type": (change_tensors(lambda kept: kept.update({LAST: kept[LAST].double()})), "bad_result", "F64"),
    "not finite": (change_tensors(lambda kept: kept[LAST].fill_(math.inf)), "nonfinite", LAST),
    "far too large": (lambda path: os.truncate(path, 1 << 33), "bad_result", "at most"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_checkpoint_that_is_not_the_models_is_refused(trial: dict[str, Any], tmp_path: Path, forgery: str) -> None:
    forge, label, said = FORGERIES[forgery]
    forge(Path(trial["checkpointPath"]))
    result = scored(trial, tmp_path)
    assert (result["status"], result["label"], result["metrics"]) == ("failed", label, [])
    assert said in result["detail"]


def test_a_mixer_that_fails_only_without_training_is_labelled(
    tmp_path: Path, make_trial: Any, plain_program: str, score_request: Any
) -> None:
    program = plain_program.replace("return self", "assert self.training, 'not trained'\n        return self")
    request = make_trial(tmp_path, program, steps=2)
    path = train.run(request, tmp_path, lambda line: None)["checkpointPath"]
    result = scored(score_request(request, path), tmp_path)
    assert result["label"] == "exit"
    assert "not trained" in result["detail"]

"""Training: the same to the bit each time and after any kill, and every bad end has its label."""

import itertools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from asi_kernels.requests import RequestError, schema_problem
from asi_kernels.snapshots import snapshot_steps
from asi_kernels.train import run as train
from asi_kernels.train.checkpoint import CheckpointFolder
from asi_kernels.train.gradient_check import GradientLot

PACKAGE = Path(__file__).parents[3] / "kernels"

# Draws random numbers in each forward pass and counts them in a buffer: state beyond the parameters.
DROPOUT_PROGRAM = """
import torch
from torch import nn


class Mixer(nn.Module):
    def __init__(self, hidden_size, num_heads, layer_index=0, num_layers=1):
        super().__init__()
        self.map = nn.Linear(hidden_size, hidden_size)
        self.register_buffer("num_calls", torch.zeros(()))

    def forward(self, x, state=None):
        self.num_calls += 1
        return nn.functional.dropout(self.map(x), 0.3, self.training) * (1 + 0.01 * self.num_calls), state
"""


def trained(request: dict[str, Any], workdir: Path, lines: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    keep = [] if lines is None else lines
    result = train.run(request, workdir, lambda line: keep.append(line) if line else None)
    assert schema_problem("train-result", result) is None
    return result


def test_training_lowers_the_loss_and_leaves_every_snapshot(
    tmp_path: Path, make_trial: Any, deltanet_program: str
) -> None:
    request = make_trial(tmp_path, deltanet_program, steps=40, report_every=4)
    lines: list[dict[str, Any]] = []
    result = trained(request, tmp_path, lines)
    assert (result["status"], result["label"]) == ("trained", None)
    assert all(schema_problem("train-progress", line) is None for line in lines)
    assert [(line["task"], line["step"]) for line in lines] == [
        (task, step) for task in ("bytes", "recall") for step in range(4, 41, 4)
    ]
    bytes_losses = [point["loss"] for point in result["curve"] if point["task"] == "bytes"]
    assert bytes_losses[-1] < bytes_losses[0] - 1.0
    assert result["tokens"] == lines[-1]["tokens"] == 40 * (4 * 32 + 4 * 16)
    assert result["tokensPerSecond"] == pytest.approx(result["tokens"] / result["cpuSeconds"])
    kept = load_file(result["checkpointPath"])
    assert {"/".join(name.split("/")[:2]) for name in kept} == {
        "bytes/1",
        *(f"{task}/{step}" for task in ("bytes", "recall") for step in (20, 40)),
    }
    assert not torch.equal(kept["bytes/20/embedding.weight"], kept["bytes/40/embedding.weight"])


def test_the_seed_alone_decides_every_loss(tmp_path: Path, make_trial: Any, deltanet_program: str) -> None:
    digests = []
    for index, seed in enumerate((0, 0, 1)):
        workdir = tmp_path / str(index)
        digests.append(trained(make_trial(workdir, deltanet_program, seed=seed, steps=4), workdir)["lossDigest"])
    assert digests[0] == digests[1] != digests[2]


def test_a_task_is_trained_alike_whatever_follows_it(tmp_path: Path, make_trial: Any, deltanet_program: str) -> None:
    """At another learning rate a baseline is trained on the first task alone, and compared on common seeds."""
    both = make_trial(tmp_path / "both", deltanet_program, steps=4)
    alone = make_trial(tmp_path / "alone", deltanet_program, steps=4)
    alone["rung"] = {**alone["rung"], "tasks": alone["rung"]["tasks"][:1]}
    curves = [trained(request, tmp_path / name)["curve"] for name, request in (("both", both), ("alone", alone))]
    losses = [[point["loss"] for point in curve if point["task"] == "bytes"] for curve in curves]
    assert losses[0] == losses[1] != []
    assert {point["task"] for point in curves[1]} == {"bytes"}


def start(workdir: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "asi_kernels", "train", "--workdir", str(workdir)]
    return subprocess.Popen(
        [*command, "--request", str(workdir / "request.json")], cwd=PACKAGE, stdout=subprocess.PIPE, text=True
    )


def test_a_killed_trial_goes_on_to_the_same_losses_and_weights(tmp_path: Path, make_trial: Any) -> None:
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    expected = trained(make_trial(undisturbed, DROPOUT_PROGRAM, steps=60, checkpoint_every=7), undisturbed)
    make_trial(killed, DROPOUT_PROGRAM, steps=60, checkpoint_every=7)
    # Once in the middle of the first task, once in the middle of the second.
    for task, step in (("bytes", 40), ("recall", 25)):
        child = start(killed)
        assert child.stdout is not None
        for line in child.stdout:
            progress = json.loads(line)
            if (progress["task"], progress["step"]) == (task, step):
                break
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
        child.stdout.close()
        assert not (killed / "result.json").exists()
    child = start(killed)
    assert child.stdout is not None
    first = json.loads(child.stdout.readline())
    assert (first["task"], first["step"]) > ("recall", 25 - 7), "it began again instead of going on"
    child.stdout.read()
    assert child.wait() == 0
    result = json.loads((killed / "result.json").read_text())
    assert result["lossDigest"] == expected["lossDigest"]
    assert [point["loss"] for point in result["curve"]] == [point["loss"] for point in expected["curve"]]
    name = Path(expected["checkpointPath"]).name
    assert (killed / name).read_bytes() == (undisturbed / name).read_bytes()
    # What the killed attempt did after its last checkpoint is done again, and is no part of what the weights took.
    assert expected["earlierCpuSeconds"] == 0 < result["earlierCpuSeconds"] < result["cpuSeconds"]


def test_nobody_can_tell_where_a_checkpoint_will_be_kept(
    tmp_path: Path, make_trial: Any, plain_program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[int] = []
    store = CheckpointFolder.store
    monkeypatch.setattr(
        CheckpointFolder,
        "store",
        lambda self, checkpoint: (kept.append(checkpoint.progress.step), store(self, checkpoint)),
    )
    firsts = set()
    for attempt in range(12):
        kept.clear()
        folder = tmp_path / str(attempt)
        trained(make_trial(folder, plain_program, steps=9, kinds=("bytes",), checkpoint_every=4), folder)
        steps = [0, *(step for step in kept if step > 0), 9]
        assert all(later - earlier <= 4 for earlier, later in itertools.pairwise(steps))
        firsts.add(steps[1])
    # Twelve draws of four: all the same once in four million times.
    assert len(firsts) > 1


@pytest.mark.parametrize("damage", ["another seed", "cut off", "no header", "a link"])
def test_a_checkpoint_that_is_not_this_trials_is_not_used(tmp_path: Path, make_trial: Any, damage: str) -> None:
    fresh = tmp_path / "fresh"
    expected = trained(make_trial(fresh, DROPOUT_PROGRAM, steps=8), fresh)["lossDigest"]
    reused = tmp_path / "reused"
    trained(make_trial(reused, DROPOUT_PROGRAM, steps=8, seed=9 if damage == "another seed" else 0), reused)
    state = reused / "checkpoints" / "state.safetensors"
    match damage:
        case "cut off":
            state.write_bytes(state.read_bytes()[:-5])
        case "no header":
            state.write_bytes(b"\xff" * 100)
        case "a link":
            state.unlink()
            state.symlink_to(reused / "nothing")
    assert trained(make_trial(reused, DROPOUT_PROGRAM, steps=8), reused)["lossDigest"] == expected


BAD_ENDS = {
    "raise ValueError('went wrong')": ("exit", "went wrong"),
    "raise SystemExit(0)": ("exit", "SystemExit"),
    "return x.tolist(), state": ("exit", "y as list"),
    "return (x / 0, state)": ("nonfinite", "training loss of task bytes is nan at step 1 of 10"),
    "return (x + (x[:1] * 0).sqrt(), state)": ("nonfinite", "gradient norm"),
    "return self.map(x) if torch.rand(()) < 2 and self.called() < 5 else x * float('nan'), state": (
        "nonfinite",
        "step 5",
    ),
    "assert x.shape[1] > 900, 'é' * 9000\n        return x, state": ("exit", "éééé"),
}


@pytest.mark.parametrize("body", BAD_ENDS)
def test_a_bad_end_in_candidate_code_has_its_label(
    tmp_path: Path, make_trial: Any, plain_program: str, body: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One of the programs counts its calls; a check of gradients makes more of them.
    monkeypatch.setattr(GradientLot, "is_due", lambda self, task_index, step: False)
    counter = "    num = 0\n\n    def called(self):\n        Mixer.num += 1\n        return Mixer.num\n"
    program = plain_program.replace("return self.map(x), state", body) + "\n" + counter
    label, said = BAD_ENDS[body]
    lines: list[dict[str, Any]] = []
    result = trained(make_trial(tmp_path, program), tmp_path, lines)
    assert (result["status"], result["label"], result["checkpointPath"]) == ("failed", label, None)
    assert said in result["detail"]
    assert len(result["detail"]) <= 4000
    if "training loss" in result["detail"]:
        assert lines[-1]["loss"] is None


@pytest.mark.parametrize(
    ("program", "label"),
    [("import nothing_there", "import_error"), ("def", "compile_error"), ("x = 1", "rejected_static")],
)
def test_a_program_that_yields_no_mixer_ends_with_its_label(
    tmp_path: Path, make_trial: Any, program: str, label: str
) -> None:
    assert trained(make_trial(tmp_path, program), tmp_path)["label"] == label


def test_a_request_whose_parts_disagree_is_refused(tmp_path: Path, make_trial: Any, plain_program: str) -> None:
    request = make_trial(tmp_path, plain_program)
    tasks = request["rung"]["tasks"]
    cases = [
        ({"programHash": "0" * 64}, "but the file at programPath has"),
        ({"programPath": str(tmp_path / "nothing.py")}, "nothing.py"),
        ({"sizes": request["sizes"][:1]}, "sizes has no entry for task recall"),
        ({"rung": {**request["rung"], "tasks": [tasks[0], tasks[0]]}}, "each may be there once"),
    ]
    for change, said in cases:
        with pytest.raises(RequestError, match=said):
            train.run({**request, **change}, tmp_path, lambda line: None)


def test_a_full_disk_is_not_blamed_on_the_candidate(tmp_path: Path, make_trial: Any, plain_program: str) -> None:
    request = make_trial(tmp_path, plain_program)
    (tmp_path / "checkpoints").symlink_to("/dev/full")
    with pytest.raises(OSError, match="checkpoints"):
        train.run(request, tmp_path, lambda line: None)


def test_snapshots_are_evenly_spaced_and_end_at_the_last_step() -> None:
    assert snapshot_steps({"kind": "recall", "steps": 60, "snapshots": 5}) == [12, 24, 36, 48, 60]
    assert snapshot_steps({"kind": "copy", "steps": 80, "snapshots": 1}) == [80]
    assert snapshot_steps({"kind": "recall", "steps": 3, "snapshots": 20}) == [1, 2, 3]


def test_of_bytes_there_is_a_snapshot_that_is_hardly_trained() -> None:
    assert snapshot_steps({"kind": "bytes", "steps": 80, "snapshots": 1}) == [1, 80]
    assert snapshot_steps({"kind": "bytes", "steps": 1, "snapshots": 1}) == [1]


def test_nothing_is_written_outside_the_work_folder(tmp_path: Path, make_trial: Any, plain_program: str) -> None:
    request = make_trial(tmp_path / "work", plain_program, steps=2)
    trained(request, tmp_path / "work")
    assert os.listdir(tmp_path) == ["work"]

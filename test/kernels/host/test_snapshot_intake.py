"""What a training left is counted from its header alone: another model and a damaged file end with a label."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from asi_kernels.gates.sizes import measure_sizes
from asi_kernels.host.snapshot_intake import refuse_snapshots
from asi_kernels.programs import load_mixer_class
from asi_kernels.train import run as train

FULL_HEADER = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
WIDE = torch.ones(16, 48)


@pytest.fixture
def trained(tmp_path: Path, make_trial: Any, plain_program: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Request, with the sizes that the gates count, and the result of an honest training in tmp_path."""
    request = make_trial(tmp_path, plain_program, steps=2)
    mixer = load_mixer_class(request["programPath"])
    request["sizes"] = [size.row() for size in measure_sizes(mixer, mixer, request["rung"], 0)]
    return request, train.run(request, tmp_path, lambda line: None)


def test_an_honest_training_is_taken(tmp_path: Path, trained: Any) -> None:
    request, result = trained
    assert refuse_snapshots(result, request, tmp_path, os.getuid()) is None


# name: (change of the tensors, label, words of the detail)
CHANGES: dict[str, tuple[Callable[[dict[str, torch.Tensor]], object], str, str]] = {
    "a larger mixer": (
        lambda tensors: tensors.update({f"{first(tensors)}blocks.0.mixer.map.weight": torch.ones(32, 32)}),
        "integrity",
        "numbers in 8 tensors against",
    ),
    "one more tensor in a mixer": (
        lambda tensors: tensors.update({f"{first(tensors)}blocks.0.mixer.more": torch.ones(3)}),
        "integrity",
        "in 9 tensors against",
    ),
    "a smaller mixer": (
        lambda tensors: tensors.pop(f"{first(tensors)}blocks.0.mixer.map.bias"),
        "integrity",
        "in 7 tensors against",
    ),
    "a parameter beside the mixers": (
        lambda tensors: tensors.update({f"{first(tensors)}blocks.0.more.weight": torch.ones(3)}),
        "integrity",
        "'blocks.0.more.weight' is no part of the model",
    ),
    "a wider MLP": (
        lambda tensors: tensors.update({f"{first(tensors)}blocks.0.mlp.down.weight": WIDE}),
        "integrity",
        "the rung has F32 [16,",
    ),
    "a type of more bits": (
        lambda tensors: tensors.update(
            {name: tensors[name].double() for name in tensors if name.endswith("/norm.weight")}
        ),
        "integrity",
        "F64",
    ),
    "a mixer of another shape and equal size": (
        lambda tensors: tensors.update({f"{first(tensors)}blocks.0.mixer.map.weight": torch.ones(8, 32)}),
        "integrity",
        "names, types or shapes inside the mixers differ",
    ),
    "a snapshot too many": (lambda tensors: tensors.update({"bytes/7/x": torch.ones(1)}), "bad_result", "unknown"),
    "a task too many": (lambda tensors: tensors.update({"copy/2/x": torch.ones(1)}), "bad_result", "unknown"),
    "a snapshot too few": (
        lambda tensors: [tensors.pop(name) for name in list(tensors) if name.startswith("recall/2/")],
        "bad_result",
        "lacks the snapshot of task recall at step 2",
    ),
    "a number that is none": (
        lambda tensors: tensors[f"{first(tensors)}norm.weight"].fill_(float("nan")),
        "nonfinite",
        "norm.weight' is not finite",
    ),
}


def first(tensors: dict[str, torch.Tensor]) -> str:
    """Prefix of one snapshot of the byte task."""
    return next(name for name in tensors if name.startswith("bytes/")).rpartition("blocks")[0] or "bytes/1/"


@pytest.mark.parametrize("name", CHANGES)
def test_another_model_than_the_gates_counted_is_refused(tmp_path: Path, trained: Any, name: str) -> None:
    request, result = trained
    change, label, said = CHANGES[name]
    tensors = load_file(result["checkpointPath"])
    change(tensors)
    save_file(tensors, result["checkpointPath"])
    refusal = refuse_snapshots(result, request, tmp_path, os.getuid())
    assert refusal is not None
    assert refusal.label == label, refusal
    assert said in refusal.detail


@pytest.fixture
def tied(tmp_path: Path, make_trial: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """As `trained`, of a mixer that has one map by two names."""
    request = make_trial(tmp_path, TIED_PROGRAM, steps=2)
    mixer = load_mixer_class(request["programPath"])
    request["sizes"] = [size.row() for size in measure_sizes(mixer, mixer, request["rung"], 0)]
    return request, train.run(request, tmp_path, lambda line: None)


TIED_PROGRAM = """
import torch
from torch import nn


class Mixer(nn.Module):
    def __init__(self, hidden_size, num_heads, layer_index=0, num_layers=1):
        super().__init__()
        self.map = nn.Linear(hidden_size, hidden_size)
        self.again = self.map

    def forward(self, x, state=None):
        return self.again(torch.tanh(self.map(x))), None
"""


def test_a_tensor_of_two_names_is_one_that_the_file_holds_twice(tmp_path: Path, tied: Any) -> None:
    request, result = tied
    layout = request["sizes"][0]["layout"]
    assert layout["tied"]["numbers"] > 0
    assert refuse_snapshots(result, request, tmp_path, os.getuid()) is None
    assert (
        sum(tensor.numel() for name, tensor in load_file(result["checkpointPath"]).items() if "bytes/1/" in name)
        == (layout["numbers"])
    )


@pytest.mark.parametrize("name", ["map", "again"])
def test_two_tensors_that_were_counted_as_one_are_refused(tmp_path: Path, tied: Any, name: str) -> None:
    request, result = tied
    tensors = load_file(result["checkpointPath"])
    tensors[f"recall/2/blocks.0.mixer.{name}.weight"][-1, -1] += 1
    save_file(tensors, result["checkpointPath"])
    refusal = refuse_snapshots(result, request, tmp_path, os.getuid())
    assert refusal is not None
    assert refusal.label == "integrity"
    assert "task recall at step 2 holds two tensors as 'blocks.0.mixer.again.weight'" in refusal.detail


@pytest.mark.parametrize("first", ["blocks.0.mixer.again.weight", "norm.weight", "gone"])
def test_a_tie_to_itself_or_to_another_tensor_is_refused(tmp_path: Path, tied: Any, first: str) -> None:
    request, result = tied
    request["sizes"][0]["layout"]["tied"]["names"]["blocks.0.mixer.again.weight"] = first
    refusal = refuse_snapshots(result, request, tmp_path, os.getuid())
    assert refusal is not None
    assert refusal.label == "integrity"
    assert "which the gates counted as one" in refusal.detail


def test_more_tied_numbers_than_the_file_has_are_refused(tmp_path: Path, tied: Any) -> None:
    request, result = tied
    request["sizes"][0]["layout"]["tied"]["numbers"] += 1
    refusal = refuse_snapshots(result, request, tmp_path, os.getuid())
    assert refusal is not None
    assert refusal.label == "integrity"


def test_both_numbers_are_told(tmp_path: Path, trained: Any) -> None:
    request, result = trained
    declared = request["sizes"][0]["layout"]
    tensors = load_file(result["checkpointPath"])
    tensors["bytes/1/blocks.0.mixer.more"] = torch.ones(1000)
    save_file(tensors, result["checkpointPath"])
    refusal = refuse_snapshots(result, request, tmp_path, None)
    assert refusal is not None
    assert f"{declared['numbers'] + 1000:,} numbers" in refusal.detail
    assert f"against {declared['numbers']:,}" in refusal.detail


def test_a_complex_number_is_counted_as_two(tmp_path: Path, trained: Any) -> None:
    request, result = trained
    tensors = load_file(result["checkpointPath"])
    tensors["bytes/1/blocks.0.mixer.more"] = torch.ones(500, dtype=torch.complex64)
    save_file(tensors, result["checkpointPath"])
    refusal = refuse_snapshots(result, request, tmp_path, None)
    assert refusal is not None
    assert f"{request['sizes'][0]['layout']['numbers'] + 1000:,} numbers" in refusal.detail


def of_header(header: dict[str, Any] | bytes, data: bytes = b"\0" * 4) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


# name: (content of the file, words of the detail)
FILES: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "ends before"),
    "a header past the end": ((1 << 40).to_bytes(8, "little") + b"{}", "its header has 1,099,511,627,776 bytes"),
    "no JSON": (of_header(b"{nonsense"), "not usable JSON"),
    "one name twice": (of_header(b'{"a": 1, "a": 2}'), "one key twice"),
    "a list": (of_header(b"[]"), "must be an object"),
    "nesting": (of_header(b"[" * 50_000), "not usable JSON"),
    "an entry that is none": (of_header({"bytes/1/a": 4}), "must have dtype, shape and data_offsets"),
    "an unknown type": (of_header({"bytes/1/a": FULL_HEADER | {"dtype": "F8"}}), "is of type 'F8'"),
    "a negative shape": (of_header({"bytes/1/a": FULL_HEADER | {"shape": [-1]}}), "no lists of counts"),
    "a shape of fractions": (of_header({"bytes/1/a": FULL_HEADER | {"shape": [1.0]}}), "no lists of counts"),
    "offsets that overlap": (
        of_header({"bytes/1/a": FULL_HEADER, "bytes/1/b": FULL_HEADER}),
        "begin at 0; they must begin at 4",
    ),
    "a gap": (of_header({"bytes/1/a": FULL_HEADER | {"data_offsets": [4, 8]}}, b"\0" * 8), "must begin at 0"),
    "bytes of no tensor": (of_header({"bytes/1/a": FULL_HEADER}, b"\0" * 9), "have 4 bytes and 9 are there"),
    "bytes that do not fit the shape": (of_header({"bytes/1/a": FULL_HEADER | {"shape": [2]}}), "needs 8"),
    "metadata": (of_header({"__metadata__": {"a": "b"}}), "must have dtype"),
    "a million entries": (of_header({f"bytes/1/{index}": {} for index in range(100_000)}), "need"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_refused(tmp_path: Path, trained: Any, name: str) -> None:
    request, result = trained
    content, said = FILES[name]
    Path(result["checkpointPath"]).write_bytes(content)
    refusal = refuse_snapshots(result, request, tmp_path, os.getuid())
    assert refusal is not None
    assert refusal.label == "bad_result"
    assert said in refusal.detail


def test_links_pipes_and_files_elsewhere_are_refused(tmp_path: Path, trained: Any) -> None:
    request, result = trained
    path = Path(result["checkpointPath"])
    elsewhere = tmp_path.parent / f"{tmp_path.name}-elsewhere.safetensors"
    path.rename(elsewhere)
    outside = refuse_snapshots(result | {"checkpointPath": str(elsewhere)}, request, tmp_path, None)
    path.symlink_to(elsewhere)
    link = refuse_snapshots(result, request, tmp_path, None)
    path.unlink()
    os.link(elsewhere, path)
    hard = refuse_snapshots(result, request, tmp_path, None)
    path.unlink()
    os.mkfifo(path)
    pipe = refuse_snapshots(result, request, tmp_path, None)
    path.unlink()
    gone = refuse_snapshots(result, request, tmp_path, None)
    for refusal in (outside, link, hard, pipe, gone):
        assert refusal is not None
        assert refusal.label == "bad_result"

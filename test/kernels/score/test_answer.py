"""Answering: what the model says, for the snapshot asked for, and no trust in the checkpoint file."""

import json
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

sys.path.insert(0, str(Path(__file__).parent))

from conversation import Conversation, change_program

from asi_kernels.judge.wire import ChannelError, Kind
from asi_kernels.models.language_model import build_model
from asi_kernels.programs import load_mixer_class
from asi_kernels.score.fixed_logits import fixed_tokens, logits_facts
from asi_kernels.train import run as train

TOKENS = np.arange(60).reshape(5, 12) % 16


@pytest.fixture
def trial(tmp_path: Path, make_trial: Any, plain_program: str, answer_request: Any) -> dict[str, Any]:
    result = train.run(make_trial(tmp_path, plain_program, steps=6), tmp_path, lambda line: None)
    assert result["status"] == "trained", result
    return answer_request(make_trial(tmp_path, plain_program, steps=6), result["checkpointPath"])


def test_the_answers_are_the_models_logits_of_the_snapshot_asked_for(trial: dict[str, Any]) -> None:
    talk = Conversation(trial)
    talk.asker.await_hello()
    said = {snapshot: talk.asker.ask(Kind.ALL, (1, snapshot), TOKENS, 16) for snapshot in (0, 1, 0)}
    last = talk.asker.ask(Kind.LAST, (1, 1), TOKENS, 16)
    assert talk.end()["status"] == "answered"
    kept = load_file(trial["checkpointPath"])
    task = trial["rung"]["tasks"][1]
    model = build_model(load_mixer_class(trial["programPath"]), trial["rung"], task, 32, 99).eval()
    for snapshot, step in ((0, 3), (1, 6)):
        prefix = f"recall/{step}/"
        model.load_state_dict({name[len(prefix) :]: kept[name] for name in kept if name.startswith(prefix)})
        with torch.no_grad():
            assert np.array_equal(said[snapshot], model(torch.from_numpy(TOKENS)).numpy())
    assert np.array_equal(last[:, 0], said[1][:, -1])
    assert not np.array_equal(said[0], said[1])


# Its values as it is made are those of the seed; what a snapshot holds is of another.
_HELD_PROGRAM = """
import torch
from torch import nn


class Mixer(nn.Module):
    def __init__(self, hidden_size, num_heads, layer_index=0, num_layers=1):
        super().__init__()
        self.map = nn.Linear(hidden_size, hidden_size)
        self.again = self.map
        self.frozen = nn.Parameter(torch.randn(hidden_size), requires_grad=False)
        self.register_buffer("decay", torch.rand(hidden_size))

    def forward(self, x, state=None):
        return self.again(x * self.decay) * self.frozen, state
"""


def test_all_tensors_of_a_mixer_are_those_of_the_snapshot(tmp_path: Path, make_trial: Any, answer_request: Any) -> None:
    request = make_trial(tmp_path, _HELD_PROGRAM, steps=2)
    kept = load_file(path := train.run(request, tmp_path, lambda line: None)["checkpointPath"])
    talk = Conversation(answer_request({**request, "seed": 7}, path))
    talk.asker.await_hello()
    said = talk.asker.ask(Kind.ALL, (1, 1), TOKENS, 16)
    assert talk.end()["status"] == "answered"
    mixer_class = load_mixer_class(request["programPath"])
    model = build_model(mixer_class, request["rung"], request["rung"]["tasks"][1], 32, 99).eval()
    model.load_state_dict({name[len("recall/2/") :]: kept[name] for name in kept if name.startswith("recall/2/")})
    with torch.no_grad():
        assert np.array_equal(said, model(torch.from_numpy(TOKENS)).numpy())


def test_the_final_weights_say_to_the_fixed_input_what_the_models_say(trial: dict[str, Any]) -> None:
    talk = Conversation(trial)
    talk.asker.await_hello()
    # Whatever was asked for last: the facts are of the last snapshot.
    talk.asker.ask(Kind.ALL, (1, 0), TOKENS, 16)
    found = talk.end()["fixedLogits"]
    assert found["torch"] == torch.__version__
    kept = load_file(trial["checkpointPath"])
    for task, facts in zip(trial["rung"]["tasks"], found["tasks"], strict=True):
        model = build_model(load_mixer_class(trial["programPath"]), trial["rung"], task, 32, 99).eval()
        prefix = f"{task['kind']}/6/"
        model.load_state_dict({name[len(prefix) :]: kept[name] for name in kept if name.startswith(prefix)})
        with torch.no_grad():
            logits = model(fixed_tokens(model.vocabulary))
        assert facts == logits_facts(task["kind"], logits)
        assert facts["largest"] == logits.abs().max().item() and len(facts["sample"]) == 64


def test_logits_that_are_not_finite_are_not_written_down() -> None:
    assert logits_facts("bytes", torch.full((2, 48, 16), math.nan)) is None


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


def failed(request: dict[str, Any]) -> dict[str, Any]:
    """The result of a process that never said hello."""
    talk = Conversation(request)
    with pytest.raises(ChannelError, match="no_result"):
        talk.asker.await_hello()
    return talk.end()


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_checkpoint_that_is_not_the_models_is_refused(trial: dict[str, Any], forgery: str) -> None:
    forge, label, said = FORGERIES[forgery]
    forge(Path(trial["checkpointPath"]))
    if label == "nonfinite":  # found when the snapshot is asked for
        talk = Conversation(trial)
        talk.asker.await_hello()
        with pytest.raises(ChannelError):
            talk.asker.ask(Kind.LAST, (0, 2), TOKENS, 256)
        result = talk.end()
    else:
        result = failed(trial)
    assert (result["status"], result["label"]) == ("failed", label)
    assert said in result["detail"]


def test_a_mixer_that_fails_only_without_training_is_labelled(
    tmp_path: Path, make_trial: Any, plain_program: str, answer_request: Any
) -> None:
    program = plain_program.replace("return self", "assert self.training, 'not trained'\n        return self")
    request = make_trial(tmp_path, program, steps=2)
    path = train.run(request, tmp_path, lambda line: None)["checkpointPath"]
    talk = Conversation(answer_request(request, path))
    talk.asker.await_hello()
    with pytest.raises(ChannelError, match="no_result"):
        talk.asker.ask(Kind.LAST, (0, 0), TOKENS, 256)
    result = talk.end()
    assert result["label"] == "exit"
    assert result["detail"].startswith("task bytes, snapshot 1: AssertionError: not trained")


def test_layers_that_die_at_a_question_end_the_trial_with_their_label(
    tmp_path: Path, make_trial: Any, plain_program: str, answer_request: Any
) -> None:
    request = make_trial(tmp_path, plain_program, steps=2)
    path = train.run(request, tmp_path, lambda line: None)["checkpointPath"]
    text = "import os\n" + plain_program.replace("return self", "os.abort()\n        return self")
    talk = Conversation(answer_request(change_program(request, text), path))
    talk.asker.await_hello()
    with pytest.raises(ChannelError, match="no_result"):
        talk.asker.ask(Kind.LAST, (0, 0), TOKENS, 256)
    result = talk.end()
    assert result["label"] == "signal"
    assert result["detail"] == "task bytes, snapshot 1: it was ended by signal 6 (SIGABRT)"


def test_what_mixers_keep_between_questions_ends_with_their_task(
    tmp_path: Path, make_trial: Any, plain_program: str, answer_request: Any
) -> None:
    request = make_trial(tmp_path, plain_program, steps=2)
    path = train.run(request, tmp_path, lambda line: None)["checkpointPath"]
    counts = "calls.append(1)\n        return self.map(x) + 0.01 * len(calls)"
    text = "calls = []\n" + plain_program.replace("return self.map(x)", counts)
    request = answer_request(change_program(request, text), path)
    said = []
    for asked in ((1, 1), (0, 1, 1)):
        talk = Conversation(request)
        talk.asker.await_hello()
        said.append([talk.asker.ask(Kind.ALL, (task, 1), TOKENS, (256, 16)[task]) for task in asked])
        assert talk.end()["status"] == "answered"
    assert np.array_equal(said[0][0], said[1][1])
    assert np.array_equal(said[0][1], said[1][2])
    assert not np.array_equal(said[0][0], said[0][1])


def test_the_cpu_time_of_the_layers_is_counted(
    tmp_path: Path, make_trial: Any, plain_program: str, answer_request: Any
) -> None:
    request = make_trial(tmp_path, plain_program, steps=2, kinds=("bytes",))
    path = train.run(request, tmp_path, lambda line: None)["checkpointPath"]
    burns = "while len(x) == 5 and time.process_time() < 2: pass\n        return self.map(x)"
    text = "import time\n" + plain_program.replace("return self.map(x)", burns)
    talk = Conversation(answer_request(change_program(request, text), path))
    talk.asker.await_hello()
    talk.asker.ask(Kind.LAST, (0, 0), TOKENS, 256)
    assert talk.end()["cpuSeconds"] > 2

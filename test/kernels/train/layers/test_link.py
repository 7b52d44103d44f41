"""Mixers in a process of their own are trained as mixers in the trainer would be, to the bit, and keep to a form."""

import hashlib
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from asi_kernels.data.task_data import training_data
from asi_kernels.generate.baselines import baseline_genome, baseline_names
from asi_kernels.generate.emit import emit_program
from asi_kernels.models.language_model import LanguageModel, build_model
from asi_kernels.numerics import settle_numerics
from asi_kernels.programs import load_mixer_class
from asi_kernels.train import run as train
from asi_kernels.train.layers import server
from asi_kernels.train.layers.arena import Arena, BadDeclaration, Declared, read_declaration
from asi_kernels.train.layers.link import LayerLink
from asi_kernels.train.layers.messages import Answer, send_reply
from asi_kernels.train.layers.work import training
from asi_kernels.train.loss import mean_loss
from asi_kernels.train.optimiser import Optimiser
from asi_kernels.train.trial_failed import TrialFailed

_STEPS = 6

# A shared matrix, a frozen one, a buffer, parameters in lists, dropout, a change of x in place, a complex parameter,
# half precision and one that gets no gradient.
ODD_PROGRAM = """
import torch
from torch import nn
from torch.nn import functional as F


class Mixer(nn.Module):
    def __init__(self, hidden_size, num_heads, layer_index=0, num_layers=1):
        super().__init__()
        self.first = nn.Sequential(nn.Linear(hidden_size, hidden_size), nn.SiLU())
        self.second = nn.Linear(hidden_size, hidden_size, bias=False)
        self.second.weight = self.first[0].weight
        self.again = self.first
        self.scales = nn.ParameterList([torch.ones(hidden_size), torch.zeros(hidden_size)])
        self.frozen = nn.Parameter(torch.randn(hidden_size), requires_grad=False)
        self.narrow = nn.Parameter(torch.randn(hidden_size, hidden_size).bfloat16().t() * 0.1)
        self.turn = nn.Parameter(torch.randn(hidden_size, dtype=torch.complex64))
        self.unused = nn.Parameter(torch.ones(3))
        self.empty = nn.Parameter(torch.ones(0, 4))
        self.register_buffer("decay", torch.rand(hidden_size))
        self.register_buffer("scratch", torch.rand(2), persistent=False)
        self.register_parameter("nothing", None)
        self.named = nn.ParameterDict({"fast-decay": torch.ones(hidden_size)})

    def forward(self, x, state=None):
        x += self.frozen
        x = F.dropout(self.again(x) * self.scales[0] + self.scales[1], 0.1, self.training)
        x = x + (x.bfloat16() @ self.narrow).float() + torch.view_as_real(self.turn * x)[..., 0]
        return self.second(x * self.decay * self.named['fast-decay']), state
"""


def trained_in_one_process(request: dict[str, Any]) -> tuple[list[bytes], list[dict[str, torch.Tensor]]]:
    """Losses of every step and the last weights of each task, with the mixers as modules of the trainer."""
    settle_numerics()
    losses, weights = [], []
    for task in request["rung"]["tasks"]:
        model = build_model(load_mixer_class(request["programPath"]), request["rung"], task, 32, request["seed"])
        model.train()
        optimiser = Optimiser(model, task)
        torch.manual_seed(request["seed"])
        batch_of = training_data(task, request["seed"], request["data"]["folder"])
        for step in range(task["steps"]):
            batch = batch_of(step)
            loss = mean_loss(model(batch.inputs), batch.targets)
            loss.backward()
            optimiser.step(step)
            losses.append(loss.detach().numpy().tobytes())
        weights.append({name: value.clone() for name, value in model.state_dict().items()})
    return losses, weights


@pytest.mark.parametrize("program", [*baseline_names(), "odd"])
def test_training_apart_gives_the_losses_and_weights_of_training_in_one_process(
    tmp_path: Path, make_trial: Any, program: str
) -> None:
    text = ODD_PROGRAM if program == "odd" else emit_program(baseline_genome(program), program, "a test")
    request = make_trial(tmp_path, text, steps=_STEPS)
    result = train.run(request, tmp_path, lambda line: None)
    assert (result["status"], result["label"]) == ("trained", None), result["detail"]
    losses, weights = trained_in_one_process(request)
    progress = train.Progress()
    for loss in losses:
        progress.add_loss(torch.frombuffer(bytearray(loss), dtype=torch.float32).reshape(()), 0.0)
    assert result["lossDigest"] == progress.loss_digest
    kept = train_snapshots(result["checkpointPath"])
    for task, expected in zip(request["rung"]["tasks"], weights, strict=True):
        found = kept[f"{task['kind']}/{_STEPS}"]
        assert found.keys() == expected.keys()
        assert all(found[name].equal(value) for name, value in expected.items())


def train_snapshots(path: str) -> dict[str, dict[str, torch.Tensor]]:
    from safetensors.torch import load_file

    snapshots: dict[str, dict[str, torch.Tensor]] = {}
    for key, value in load_file(path).items():
        task, step, name = key.split("/", 2)
        snapshots.setdefault(f"{task}/{step}", {})[name] = value
    return snapshots


@pytest.fixture
def open_link(make_trial: Any, tmp_path: Path) -> Iterator[Callable[..., LayerLink]]:
    """open_link(program, confine): a link whose layer process is alive; ended after the test."""
    links: list[LayerLink] = []

    def make(program: str, confine: Any = train.unconfined) -> LayerLink:
        request = make_trial(tmp_path, program)
        links.append(LayerLink(request, 0, training(request["rung"]["tasks"][0]), confine))
        return links[-1]

    yield make
    for link in links:
        link.close()


def test_the_layer_process_has_no_tokens_no_loss_and_no_optimiser(open_link: Any) -> None:
    # It is forked before the trainer makes any of them.
    program = """
import gc
from torch import nn
from asi_kernels.train.optimiser import Optimiser
from asi_kernels.models.language_model import LanguageModel

class Mixer(nn.Module):
    def __init__(self, hidden_size, num_heads, layer_index=0, num_layers=1):
        super().__init__()
        self.map = nn.Linear(hidden_size, hidden_size)

    def forward(self, x, state=None):
        found = [type(o).__name__ for o in gc.get_objects() if isinstance(o, (Optimiser, LanguageModel))]
        raise ValueError(f"found {found}")
"""
    link = open_link(program)
    link.where = "here"
    link.build()
    task = link._task
    model = build_model(link.mixer, link._rung, task, 32, 0)
    kept = Optimiser(model, task)
    with pytest.raises(TrialFailed, match=r"here: ValueError: found \[\]"):
        model(torch.zeros(task["batch"], task["length"], dtype=torch.int64))
    assert isinstance(model, LanguageModel)
    assert kept.state()["count"] == 0


# Programs that look, as the mixers of a task are made, for what an earlier task could have left them.
LEFTOVERS = {
    "a table of the module": ("found = list(kept)", "kept.append(x.sum().item())"),
    "what the trainer has made": (
        "found = [type(o).__name__ for o in gc.get_objects() if isinstance(o, (Optimiser, LanguageModel))]",
        "pass",
    ),
    "the memory of another task": (
        "found = sorted(line for line in open('/proc/self/maps') if '/dev/zero' in line)[1:]",
        "pass",
    ),
    "a word behind the tensors": (
        "found = []",
        "arena = next(o for o in gc.get_objects() if isinstance(o, _Layers))._arena\n"
        "        mark = arena._bytes[-64_000:-63_936].view(torch.float32)[:1]\n"
        "        if not marked and mark.item(): raise ValueError('found a mark')\n"
        "        marked.append(1); mark.fill_(1.0)",
    ),
}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere processes share what their parent maps")
@pytest.mark.parametrize("name", LEFTOVERS)
def test_a_task_finds_nothing_of_an_earlier_one(tmp_path: Path, make_trial: Any, plain_program: str, name: str) -> None:
    look, leave = LEFTOVERS[name]
    head = """
import gc
from asi_kernels.train.layers.server import _Layers
from asi_kernels.train.optimiser import Optimiser
from asi_kernels.models.language_model import LanguageModel

kept, marked = [], []
"""
    program = plain_program.replace(
        "super().__init__()",
        f"super().__init__()\n        {look}\n        if found: raise ValueError(f'found {{found}}')",
    ).replace("return self.map(x), state", f"{leave}\n        return self.map(x), state")
    request = make_trial(tmp_path, f"{head}{program}", steps=2)
    assert len(request["rung"]["tasks"]) > 1
    result = train.run(request, tmp_path, lambda line: None)
    assert (result["status"], result["detail"]) == ("trained", "")


ENDS = {
    "os.kill(os.getpid(), signal.SIGSEGV)": ("signal", "signal 11 (SIGSEGV)"),
    "os._exit(0)": ("no_result", "status 0"),
    "os._exit(7)": ("exit", "status 7"),
    "raise KeyboardInterrupt('stop')": ("exit", "KeyboardInterrupt: stop"),
    "os.closerange(3, 100); time.sleep(100)": ("exit", "closed its pipes and lived on"),
}


@pytest.mark.parametrize("body", ENDS)
def test_how_the_layer_process_ends_has_a_label(open_link: Any, plain_program: str, body: str) -> None:
    program = f"import os, signal, time\n{plain_program}".replace(
        "return self.map(x), state", f"{body}\n        return self.map(x), state"
    )
    link = open_link(program)
    link.where = "task bytes, step 3"
    link.build()
    task = link._task
    model = build_model(link.mixer, link._rung, task, 32, 0)
    label, said = ENDS[body]
    with pytest.raises(TrialFailed, match="task bytes, step 3") as failed:
        model(torch.zeros(task["batch"], task["length"], dtype=torch.int64))
    assert failed.value.label == label
    assert said in failed.value.detail


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (lambda out: os.write(out, b"\xff" * 5), "began a reply with"),
        (lambda out: os.write(out, b"\x01\xff\xff\xff\x7f"), "began a reply with"),
        (lambda out: os.write(out, b"\x01\x02\0\0\0[["), "not usable JSON"),
        (lambda out: send_reply(out, Answer.DONE), "answered what was not asked"),
        (lambda out: send_reply(out, Answer.FAILED, {"label": "infra", "detail": "again, please"}), "usable reason"),
        (lambda out: send_reply(out, Answer.FAILED, [1]), "usable reason"),
    ],
)
def test_a_reply_that_no_honest_process_gives_is_a_bad_result(
    open_link: Any, plain_program: str, monkeypatch: pytest.MonkeyPatch, reply: Callable[[int], object], said: str
) -> None:
    def lie(layers: Any, orders: int, replies: int) -> None:
        server.next_order(orders)
        reply(replies)
        signal.pause()

    monkeypatch.setattr(server._Layers, "serve", lie)
    link = open_link(plain_program)
    with pytest.raises(TrialFailed, match=said) as failed:
        link.build()
    assert failed.value.label == "bad_result"


_GOOD = Declared(0, "map.weight", "float32", (4, 4), is_parameter=True, is_trained=True, same_as=None).to_json()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({}, "must declare a list"),
        ([_GOOD] * 5_000, "at most 4,000"),
        ([{**_GOOD, "more": 1}], "other fields"),
        ([{**_GOOD, "name": "a..b"}], "no name that a module can have"),
        ([{**_GOOD, "layer": 2}], "no such layer"),
        ([{**_GOOD, "kind": "quint8"}], "must be one of float64"),
        ([{**_GOOD, "kind": "complex128"}], "must be one of float64"),
        ([{**_GOOD, "kind": "int64"}], "is trained and of type int64"),
        ([{**_GOOD, "shape": [0, 1 << 31, 1 << 31]}], r"at most 2\^40 numbers"),
        ([{**_GOOD, "name": "a\nb"}], "no name that a module can have"),
        ([{**_GOOD, "shape": [-1]}], "sizes below"),
        ([{**_GOOD, "sameAs": 0}], "does not come before it"),
        ([_GOOD, {**_GOOD, "name": "b", "shape": [5], "sameAs": 0}], "which is another"),
        ([_GOOD, _GOOD], "one name twice"),
    ],
)
def test_a_declaration_is_held_to_its_form(content: Any, said: str) -> None:
    with pytest.raises(BadDeclaration, match=said):
        read_declaration(json.loads(json.dumps(content)), 2)


def test_more_tensors_than_fit_are_refused_by_name(tiny_rung: dict[str, Any]) -> None:
    declared = read_declaration([{**_GOOD, "shape": [1 << 20, 1 << 10]}], 1)
    with pytest.raises(BadDeclaration, match=r"512 MB of tensors, up to 'map\.weight' of layer 0"):
        Arena(tiny_rung["hidden"], training(tiny_rung["tasks"][0])).tensors(declared)


def test_a_program_that_has_other_tensors_when_it_goes_on_is_no_outage(
    tmp_path: Path, make_trial: Any, plain_program: str
) -> None:
    request = make_trial(tmp_path, plain_program, steps=8, checkpoint_every=2)

    def stop(line: dict[str, Any] | None) -> None:
        if line is not None and line["step"] == 5:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        train.run(request, tmp_path, stop)
    # As one would that told the attempts apart: the text stays, what it makes does not.
    other = plain_program.replace(
        "nn.Linear(hidden_size, hidden_size)", "nn.Linear(hidden_size, hidden_size, bias=False)"
    )
    (tmp_path / "mixer.py").write_text(other)
    state = tmp_path / "checkpoints" / "state.safetensors"
    kept = load_checkpoint_identity(state, request, other)
    result = train.run(kept, tmp_path, lambda line: None)
    assert (result["status"], result["label"]) == ("failed", "nondeterministic")


def load_checkpoint_identity(state: Path, request: dict[str, Any], program: str) -> dict[str, Any]:
    """The request for another program, with the checkpoint made out to it."""
    from safetensors.torch import load, save

    from asi_kernels.train.checkpoint import _identity

    changed = {**request, "programHash": hashlib.sha256(program.encode()).hexdigest()}
    tensors = load(state.read_bytes())
    facts = json.loads(tensors["facts"].numpy().tobytes()) | {"identity": _identity(changed)}
    tensors["facts"] = torch.frombuffer(bytearray(json.dumps(facts).encode()), dtype=torch.uint8)
    state.write_bytes(save(tensors))
    return changed


def test_its_cpu_time_is_the_kernels_count_while_it_lives_and_after(open_link: Any, plain_program: str) -> None:
    program = plain_program.replace("return self.map(x)", "[x.exp() for _ in range(4000)]; return self.map(x)")
    link = open_link(program)
    link.build()
    task = link._task
    before = link.cpu_seconds()
    build_model(link.mixer, link._rung, task, 32, 0)(torch.zeros(4, task["length"], dtype=torch.int64))
    alive = link.cpu_seconds()
    assert alive > before
    link.close()
    assert link.cpu_seconds() >= alive * 0.9


_BURNS = """
import os, time

def burn():
    end = time.process_time() + 1.5
    while time.process_time() < end:
        pass

"""
TRAINERS = {
    "where it is imported": ("burn()", "pass"),
    "where a mixer is made": ("", "burn()"),
    "in a process of its own": (
        "child = os.fork()\nif child == 0:\n    burn()\n    time.sleep(100)\n    os._exit(0)\ntime.sleep(6)",
        "pass",
    ),
}


@pytest.mark.skipif(sys.platform != "linux", reason="the CPU time of another process is Linux's to tell")
@pytest.mark.parametrize("place", TRAINERS)
def test_mixers_that_take_long_to_be_made_may_have_been_trained(open_link: Any, plain_program: str, place: str) -> None:
    at_import, at_birth = TRAINERS[place]
    program = plain_program.replace("super().__init__()", f"super().__init__()\n        {at_birth}", 1)
    link = open_link(f"{_BURNS}{at_import}\n{program}")
    link.where = "building the model of task bytes"
    with pytest.raises(TrialFailed, match=r"its mixers took \d+\.\d\d CPU seconds to be made") as failed:
        link.build()
    assert failed.value.label == "integrity"


def test_where_no_process_can_be_listed_its_own_time_counts(
    open_link: Any, plain_program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As behind the wall of S0L."""

    def closed(path: str) -> list[str]:
        raise PermissionError(path)

    monkeypatch.setattr(os, "listdir", closed)
    open_link(plain_program).build()
    with pytest.raises(TrialFailed, match="CPU seconds to be made"):
        open_link(f"{_BURNS}burn()\n{plain_program}").build()

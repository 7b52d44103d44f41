"""The trainer holds the gradients that a layer process sends against what the loss does."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from asi_kernels.generate.baselines import baseline_genome, baseline_names
from asi_kernels.generate.emit import emit_program
from asi_kernels.gradients import LIMIT, Finding, hold_against
from asi_kernels.train import gradient_check, run
from asi_kernels.train.gradient_check import GradientLot
from asi_kernels.train.layers.link import LayerLink
from asi_kernels.train.layers.messages import Asked

_STEPS = 8
_TEST = Path(__file__).parents[2]
_HONEST = _TEST / "fixtures" / "programs" / "honest"
_HARD = [_TEST / "cheats" / "programs" / f"{name}.py" for name in ("honest_sign_gate", "honest_top_channels")]

_PROGRAM = """
import torch
from torch import nn


class Sent(torch.autograd.Function):
    @staticmethod
    def forward(ctx, w):
        ctx.save_for_backward(w)
        return w.clone()

    @staticmethod
    def backward(ctx, grad):
        (w,) = ctx.saved_tensors
        return GRADIENT


class Mixer(nn.Module):
    def __init__(self, hidden_size, num_heads, layer_index=0, num_layers=1):
        super().__init__()
        self.inner = nn.Linear(hidden_size, hidden_size)
        self.out = nn.Linear(hidden_size, hidden_size)
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, x, state=None):
        self.seen += 1
        h = nn.functional.dropout(self.inner(x), 0.2, self.training) * (1 + self.seen / 10)
        return nn.functional.linear(torch.tanh(h).cumsum(1), Sent.apply(self.out.weight), self.out.bias), None
"""


@pytest.fixture
def every_finding(monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    """Every step is checked and none refused; what was found."""
    found: list[Finding] = []

    def hold(*args: Any, **options: Any) -> Finding:
        found.append(hold_against(*args, **options))
        return Finding(found[-1].share, None)

    monkeypatch.setattr(GradientLot, "is_due", lambda self, task_index, step: True)
    monkeypatch.setattr(gradient_check, "hold_against", hold)
    return found


@pytest.mark.parametrize(
    "text",
    [
        *(pytest.param(emit_program(baseline_genome(name), name, "a test"), id=name) for name in baseline_names()),
        *(pytest.param(path.read_text(), id=path.stem) for path in sorted(_HONEST.glob("*.py"))),
        pytest.param(_PROGRAM.replace("GRADIENT", "grad"), id="dropout, a count and a function of its own"),
    ],
)
def test_honest_gradients_are_those_of_the_loss(
    tmp_path: Path, make_trial: Any, every_finding: list[Finding], text: str
) -> None:
    result = run.run(make_trial(tmp_path, text, steps=_STEPS), tmp_path, lambda line: None)
    assert result["label"] is None, result["detail"]
    assert len(every_finding) == 2 * _STEPS
    assert [finding.mismatch for finding in every_finding if finding.mismatch] == []
    # A router that tips at a step is no mismatch, but its jumps leave something unexplained.
    assert sorted(finding.share for finding in every_finding)[-5] <= LIMIT / 2


@pytest.mark.parametrize("text", [path.read_text() for path in _HARD], ids=[path.stem for path in _HARD])
def test_hard_choices_are_no_false_gradients(
    tmp_path: Path, make_trial: Any, every_finding: list[Finding], text: str
) -> None:
    result = run.run(make_trial(tmp_path, text, steps=_STEPS), tmp_path, lambda line: None)
    assert result["label"] is None, result["detail"]
    assert [finding.mismatch for finding in every_finding if finding.mismatch] == []


@pytest.mark.parametrize(
    "sent",
    [
        "grad.sign()",
        "grad / (w.abs() + 1e-3)",
        "torch.zeros_like(grad)",
        "grad + 0.5 * w",
        "1e-6 * grad",
        "1e6 * grad",
    ],
)
def test_other_gradients_are_not(tmp_path: Path, make_trial: Any, every_finding: list[Finding], sent: str) -> None:
    run.run(make_trial(tmp_path, _PROGRAM.replace("GRADIENT", sent), steps=_STEPS), tmp_path, lambda line: None)
    assert sum(finding.mismatch is not None for finding in every_finding) >= len(every_finding) // 2


def test_a_false_gradient_of_the_input_shows_in_what_lies_below(
    tmp_path: Path, make_trial: Any, every_finding: list[Finding]
) -> None:
    text = _PROGRAM.replace("GRADIENT", "grad").replace(
        "        self.seen += 1\n", "        self.seen += 1\n        x = Sent.apply(x)\n"
    )
    text = text.replace("return grad\n", "return grad.sign() * grad.norm() if grad.dim() == 3 else grad\n")
    run.run(make_trial(tmp_path, text, steps=_STEPS), tmp_path, lambda line: None)
    names = [finding.mismatch.name for finding in every_finding if finding.mismatch]
    assert len(names) >= len(every_finding) // 2
    assert {name for name in names if ".mixer." in name} == set()


def test_a_trial_with_other_gradients_ends_and_says_so(
    tmp_path: Path, make_trial: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GradientLot, "is_due", lambda self, task_index, step: True)
    request = make_trial(tmp_path, _PROGRAM.replace("GRADIENT", "grad.sign()"), steps=30)
    result = run.run(request, tmp_path, lambda line: None)
    assert (result["status"], result["label"]) == ("failed", "integrity")
    assert "are not those of their forward pass: blocks." in result["detail"]
    assert "let autograd differentiate" in result["detail"]


def test_what_the_layers_raise_while_they_are_asked_keeps_its_own_words(
    tmp_path: Path, make_trial: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GradientLot, "is_due", lambda self, task_index, step: True)
    # The first pass of a step is the training's, the second the first of the check.
    raising = 'self.calls += 1\n        if self.calls > 1:\n            raise ValueError("seen twice")'
    text = _PROGRAM.replace("GRADIENT", "grad").replace("self.seen += 1", raising)
    text = text.replace("class Mixer(nn.Module):\n", "class Mixer(nn.Module):\n    calls = 0\n\n")
    result = run.run(make_trial(tmp_path, text, steps=30), tmp_path, lambda line: None)
    assert (result["status"], result["label"]) == ("failed", "exit")
    assert "seen twice" in result["detail"]


def test_gradients_that_are_not_finite_are_left_to_the_optimiser(
    tmp_path: Path, make_trial: Any, every_finding: list[Finding]
) -> None:
    request = make_trial(tmp_path, _PROGRAM.replace("GRADIENT", "grad / 0"), steps=_STEPS)
    result = run.run(request, tmp_path, lambda line: None)
    assert (result["label"], every_finding) == ("nonfinite", [])


def test_until_its_gradients_have_come_a_step_that_is_checked_is_like_any_other(
    tmp_path: Path, make_trial: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the layer process is asked, and when the lot is: between two backward passes always the same."""
    happened: list[str] = []
    ask = LayerLink._ask

    def noted(link: LayerLink, asked: Asked) -> Any:
        happened.append(f"{asked.order.name} {asked.number}")
        return ask(link, asked)

    def is_due(lot: GradientLot, task_index: int, step: int) -> bool:
        happened.append("lot")
        return step == 3

    monkeypatch.setattr(LayerLink, "_ask", noted)
    monkeypatch.setattr(GradientLot, "is_due", is_due)
    result = run.run(make_trial(tmp_path, _PROGRAM.replace("GRADIENT", "grad"), steps=_STEPS), tmp_path, lambda _: None)
    assert result["label"] is None, result["detail"]
    lots = [place for place, what in enumerate(happened) if what == "lot"]
    assert len(lots) == 2 * _STEPS
    assert {tuple(happened[place - 3 : place]) for place in lots} == {("KEEP 0", "FORWARD 0", "BACKWARD 0")}
    # Only what comes after the lot is longer at the step that is due.
    lengths = [later - place for place, later in pairwise(lots)]
    assert [index for index, length in enumerate(lengths) if length > 5] == [3, _STEPS + 3]


def test_what_a_mixer_is_given_lies_in_memory_of_its_own(tmp_path: Path, make_trial: Any, plain_program: str) -> None:
    text = plain_program.replace(
        "return self.map(x), state",
        "y = Given.apply(self.map(Given.apply(x)))\n        return y, state",
    )
    text += """

class Given(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        assert x.untyped_storage().nbytes() == 4 * x.numel()
        return x.clone()

    @staticmethod
    def backward(ctx, grad):
        assert grad.untyped_storage().nbytes() == 4 * grad.numel()
        return grad
"""
    result = run.run(make_trial(tmp_path, text, steps=2), tmp_path, lambda line: None)
    assert result["label"] is None, result["detail"]


def test_the_check_changes_no_bit(tmp_path: Path, make_trial: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    text = _PROGRAM.replace("GRADIENT", "grad")
    digests = []
    for name, is_checked in (("checked", True), ("plain", False)):
        folder = tmp_path / name
        folder.mkdir()
        monkeypatch.setattr(GradientLot, "is_due", lambda self, task_index, step, due=is_checked: due)
        digests.append(run.run(make_trial(folder, text, steps=_STEPS), folder, lambda line: None)["lossDigest"])
    assert digests[0] == digests[1]


def test_the_lot_falls_on_every_step_and_is_not_used_up_by_what_it_has_drawn() -> None:
    tasks = [{"steps": 20}, {"steps": 10}]
    places = [(0, step) for step in range(20)] + [(1, step) for step in range(10)]
    drawn = []
    for _ in range(2000):
        lot = GradientLot(tasks)
        drawn.append([place for place in places if lot.is_due(*place)])
    assert min(len(each) for each in drawn) == 1
    assert 2.8 < sum(len(each) for each in drawn) / len(drawn) < 3.1
    assert {place for each in drawn for place in each} == set(places)
    # Of trials whose first steps were looked at three times, as many are looked at later as of all others.
    early = [sum(place >= (0, 10) for place in each) for each in drawn if sum(place < (0, 10) for place in each) >= 3]
    assert sum(later > 0 for later in early) / len(early) > 0.6


def test_an_attempt_that_goes_on_is_looked_at_in_what_it_still_has_to_do() -> None:
    tasks = [{"steps": 20}, {"steps": 10}]
    ahead = [(1, step) for step in range(6, 10)]
    for _ in range(500):
        lot = GradientLot(tasks, begins_at=ahead[0])
        assert any(lot.is_due(*place) for place in ahead)


def test_weights_in_half_precision_are_moved_as_far_as_they_can_be(
    tmp_path: Path, make_trial: Any, every_finding: list[Finding]
) -> None:
    text = _PROGRAM.replace("GRADIENT", "grad").replace(
        "self.out = nn.Linear(hidden_size, hidden_size)",
        "self.out = nn.Linear(hidden_size, hidden_size)\n"
        "        self.turn = nn.Parameter(torch.randn(hidden_size).bfloat16() * 0.1)",
    )
    text = text.replace("torch.tanh(h).cumsum(1)", "(torch.tanh(h) * self.turn.float()).cumsum(1)")
    run.run(make_trial(tmp_path, text, steps=_STEPS), tmp_path, lambda line: None)
    assert max(finding.share for finding in every_finding) <= LIMIT
    every_finding.clear()
    text = text.replace("self.turn.float()", "Sent.apply(self.turn).float()").replace("grad\n", "grad.sign()\n")
    text = text.replace("Sent.apply(self.out.weight)", "self.out.weight")
    run.run(make_trial(tmp_path, text, steps=_STEPS), tmp_path, lambda line: None)
    assert sum(finding.mismatch is not None for finding in every_finding) >= len(every_finding) // 2

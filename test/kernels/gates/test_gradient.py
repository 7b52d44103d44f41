"""The gate `gradient` refuses gradients that are not those of the forward pass, and no hard choice for its jumps."""

from pathlib import Path
from typing import Any

import pytest

from asi_kernels.gates.gradient import gradient
from asi_kernels.gates.subject import Subject, probe_shape
from asi_kernels.programs import load_mixer_class

_TEST = Path(__file__).parents[2]
_CHEATS = _TEST / "cheats" / "programs"
_DEFECTS = _TEST / "fixtures" / "programs" / "defects"

# What is put in place of y in an honest mixer, whether it must fail.
_FORWARD = {
    "y": False,
    "y / (y.detach().square().mean(-1, keepdim=True) + 1e-3).sqrt()": True,
    "y / (y.square().mean(-1, keepdim=True) + 1e-3).sqrt()": False,
    "y + torch.round(4 * y) / 4": False,
    "y + (torch.round(y) - y).detach()": True,
    "y.cummax(1).values": False,
    "torch.relu(y - y[:, :1])": False,
}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", ["honest_sign_gate", "honest_top_channels"])
def test_a_hard_choice_passes(name: str, seed: int, tiny_rung: dict[str, Any]) -> None:
    subject = Subject(load_mixer_class(_CHEATS / f"{name}.py"), probe_shape(tiny_rung), seed)
    outcome = gradient(subject)
    assert outcome.verdict == "pass", outcome.evidence


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "path",
    [
        _CHEATS / "e42_false_gradients_behind_a_dial.py",
        _DEFECTS / "orthogonal_gradient.py",
        _DEFECTS / "straight_through.py",
    ],
    ids=lambda path: path.stem,
)
def test_false_gradients_fail_with_what_was_measured_and_what_to_do(
    path: Path, seed: int, tiny_rung: dict[str, Any]
) -> None:
    outcome = gradient(Subject(load_mixer_class(path), probe_shape(tiny_rung), seed))
    assert outcome.verdict == "fail"
    assert "is not that of the forward pass: moved along" in outcome.evidence
    assert "let autograd differentiate what forward computes" in outcome.evidence


def test_gradients_that_are_false_only_at_the_size_of_a_training_batch_fail_beside_hard_choices_too(
    tiny_rung: dict[str, Any],
) -> None:
    mixer_class = load_mixer_class(_CHEATS / "e44_false_gradients_beside_hard_choices.py")
    rung = {**tiny_rung, "tasks": [{**task, "batch": 8, "length": 64} for task in tiny_rung["tasks"][:1]]}
    outcomes = [gradient(Subject(mixer_class, probe_shape(rung), seed)) for seed in range(8)]
    fallen = [outcome.evidence for outcome in outcomes if outcome.verdict == "fail"]
    assert len(fallen) >= 5
    assert all("8 rows of 64" in evidence for evidence in fallen)


@pytest.mark.parametrize("forward", _FORWARD)
def test_what_is_detached_or_passed_straight_through_fails_and_hard_choices_do_not(
    tmp_path: Path, plain_program: str, tiny_rung: dict[str, Any], forward: str
) -> None:
    path = tmp_path / "mixer.py"
    path.write_text(
        plain_program.replace("return self.map(x), state", f"y = self.map(x)\n        return {forward}, state")
    )
    verdicts = [gradient(Subject(load_mixer_class(path), probe_shape(tiny_rung), seed)).verdict for seed in range(4)]
    assert verdicts.count("fail") >= 3 if _FORWARD[forward] else verdicts == ["pass"] * 4

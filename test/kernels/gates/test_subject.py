import json
from pathlib import Path

import pytest
import torch
from torch import nn

from asi_kernels.gates.effort import CHUNK_BORDERS, effort_for
from asi_kernels.gates.outcome import CandidateError
from asi_kernels.gates.subject import (
    Cost,
    ProbeShape,
    Subject,
    call_with_state,
    probe_shape,
    randomise,
    relative_difference,
)
from asi_kernels.programs import load_mixer_class

_ROOT = Path(__file__).parents[3]
_QUICK = json.loads((_ROOT / "kernels/asi_kernels/schemas/rungs.json").read_text())["quick"]
_EMA = load_mixer_class(_ROOT / "test/fixtures/programs/honest/ema.py")


def _subject(**changes) -> Subject:
    return Subject(**{"mixer_class": _EMA, "shape": ProbeShape(16, 2, 2, (32, 128)), "seed": 4, **changes})


def test_probes_have_the_rungs_own_shape_where_it_is_small() -> None:
    assert probe_shape(_QUICK) == ProbeShape(64, 2, 2, (32, 128), ((16, 128), (32, 32)))


def test_probes_of_a_wide_rung_keep_the_head_size_and_have_fewer_heads() -> None:
    shape = probe_shape({**_QUICK, "hidden": 1024, "heads": 16})
    assert (shape.hidden, shape.heads) == (128, 2)
    shape = probe_shape({**_QUICK, "hidden": 1024, "heads": 4})
    assert (shape.hidden, shape.heads) == (256, 1)


def test_inputs_repeat_for_a_seed_and_differ_between_seeds_and_rows() -> None:
    subject = _subject()
    x = subject.inputs(4, 50, seed=1)
    assert x.shape == (4, 50, 16)
    assert torch.equal(x, subject.inputs(4, 50, seed=1))
    assert not torch.equal(x, subject.inputs(4, 50, seed=2))
    assert not torch.equal(x, _subject(seed=5).inputs(4, 50, seed=1))
    assert len({row.sum().item() for row in x}) == 4


def test_inputs_hold_repeated_tokens_outliers_and_slow_drift() -> None:
    gaussian, tokens, spiky, drifting = _subject().inputs(4, 200)
    repeats = (tokens[1:] == tokens[:-1]).all(-1).double().mean()
    assert 0.25 < repeats < 0.6
    assert spiky.abs().max() > 1.3 * gaussian.abs().max()
    assert (drifting[1:] - drifting[:-1]).abs().mean() < 0.1 * (gaussian[1:] - gaussian[:-1]).abs().mean()
    for row in (gaussian, tokens, spiky, drifting):
        assert 0.4 < row.pow(2).mean().sqrt() < 3.0


def test_noise_is_scaled_by_fan_in_and_reaches_what_was_zero() -> None:
    linear = nn.Linear(400, 300).double()
    nn.init.zeros_(linear.weight)
    nn.init.zeros_(linear.bias)
    randomise(linear, seed=1, noise=1.0)
    assert linear.weight.std().item() == pytest.approx(0.3 / 400**0.5, rel=0.05)
    assert linear.bias.std().item() == pytest.approx(0.3, rel=0.2)


def test_a_mixer_that_overflows_when_moved_is_probed_with_less_noise() -> None:
    class Steep(nn.Module):
        def __init__(self, hidden_size, num_heads, layer_index=0, num_layers=1) -> None:
            super().__init__()
            self.rate = nn.Parameter(torch.zeros(hidden_size))

        def forward(self, x, state=None):
            return x * torch.exp(5000.0 * self.rate.abs()), state

    assert _subject().noise == 1.0
    assert _subject(mixer_class=Steep).noise == 0.0


def test_a_difference_is_told_relative_to_the_reference_and_nan_counts_as_infinite() -> None:
    reference = torch.full((4,), 2.0)
    assert relative_difference(reference + 0.5, reference) == 0.25
    assert relative_difference(reference, reference) == 0.0
    assert relative_difference(reference * float("nan"), reference) == float("inf")
    assert relative_difference(reference, reference * float("nan")) == float("inf")


def test_an_output_of_1e14_makes_no_rounding_of_the_others() -> None:
    reference = torch.full((4, 8), 2.0, dtype=torch.float64)
    reference[0] = 1e14
    moved = reference.clone()
    moved[3, 3] += 0.5
    assert relative_difference(moved, reference) == pytest.approx(5e-4)
    moved = reference.clone()
    moved[0, 3] += 0.5  # its own rounding
    assert relative_difference(moved, reference) == pytest.approx(5e-15)


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        (lambda x: x, "forward returned Tensor"),
        (lambda x: (x, None, None), "forward returned tuple"),
        (lambda x: (None, None), "y as NoneType"),
        (lambda x: (x[:, 1:], None), r"returned y \[2, 3, 16\]"),
        (lambda x: x.nothing, "AttributeError"),
    ],
)
def test_what_forward_may_not_return_is_told_to_the_author(returned, words: str) -> None:
    class Odd(nn.Module):
        def forward(self, x, state=None):
            return returned(x)

    with pytest.raises(CandidateError, match=words):
        call_with_state(Odd(), torch.zeros(2, 4, 16), None, seed=0)


def _effort(seconds_a_position: float, seconds_a_token: float, **changes):
    subject = _subject(**changes)
    subject.__dict__["cost"] = Cost(seconds_a_position, seconds_a_token)
    return effort_for(subject)


def test_a_fast_program_gets_everything() -> None:
    effort = _effort(1e-6, 1e-6)
    assert effort.every_cut and effort.thorough and effort.note == ""
    assert effort.borders == CHUNK_BORDERS
    assert effort.long_lengths == (32, 128, 331)


def test_slower_programs_lose_repetitions_before_lengths_and_say_so() -> None:
    efforts = [_effort(0.0, 1e-6 * 1.15**step) for step in range(60)]
    kept = [(effort.every_cut, effort.thorough, len(effort.long_lengths), effort.longest) for effort in efforts]
    assert kept == sorted(kept, reverse=True)
    assert {(True, True, 3, 331), (False, True, 3, 331), (False, False, 3, 331), (False, False, 1, 331)} <= set(kept)
    assert kept[-1] == (False, False, 1, 80)
    assert efforts[-1].borders[-1] == 33
    for effort, (every_cut, *_) in zip(efforts, kept, strict=True):
        assert bool(effort.note) is not every_cut


def test_costly_tokens_reduce_the_probes_too() -> None:
    assert not _effort(0.0, 1e-4).every_cut


def test_numbers_of_the_text_become_lengths_on_both_sides() -> None:
    assert _effort(1e-6, 1e-6, thresholds=(2, 16, 256, 700, 5000)).long_lengths == (32, 128, 256, 257, 331, 700, 701)


def test_a_deep_look_adds_a_length_far_past_training() -> None:
    subject = _subject()
    subject.__dict__["cost"] = Cost(1e-6, 1e-6)
    assert effort_for(subject, 99).long_lengths == (32, 128, 331)
    assert effort_for(subject, 100).long_lengths == (32, 128, 331, 700)


class _Turned(nn.Module):
    def __init__(self, hidden_size: int, num_heads: int, layer_index: int = 0, num_layers: int = 1) -> None:
        super().__init__()
        self.turn = nn.Parameter(torch.randn(hidden_size, dtype=torch.complex64))
        self.scale = nn.Parameter(torch.ones(hidden_size))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))


@pytest.mark.parametrize(
    ("dtype", "turned"),
    [
        (torch.float64, torch.complex128),
        (torch.float32, torch.complex64),
        (torch.bfloat16, torch.complex64),
    ],
)
def test_complex_numbers_stay_complex_in_every_precision(dtype: torch.dtype, turned: torch.dtype) -> None:
    mixer = _subject(mixer_class=_Turned).build(dtype=dtype, noise=1.0)
    assert (mixer.turn.dtype, mixer.scale.dtype, mixer.count.dtype) == (turned, dtype, torch.int64)
    assert mixer.turn.imag.abs().min() > 0

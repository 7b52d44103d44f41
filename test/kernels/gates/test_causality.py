import json
from pathlib import Path

import pytest
import torch

from asi_kernels.gates.causality import causality, found_share
from asi_kernels.gates.effort import effort_for
from asi_kernels.gates.static_review import integer_constants, review
from asi_kernels.gates.subject import ProbeShape, Subject
from asi_kernels.programs import load_mixer_class

_ROOT = Path(__file__).parents[3]
_PROGRAMS = _ROOT / "test/fixtures/programs"
_HONEST_FFT = _ROOT / "test/cheats/programs/honest_fft.py"
_QUICK = json.loads((_ROOT / "kernels/asi_kernels/schemas/rungs.json").read_text())["quick"]

# Opens at one position in `rarity`, decided by a hash of the token, so that no choice of cuts can favour it.
_RARE = """
import torch
from torch import nn


class Mixer(nn.Module):
    def __init__(self, hidden_size, num_heads, layer_index=0, num_layers=1):
        super().__init__()
        self.map = nn.Linear(hidden_size, hidden_size)

    def forward(self, x, state=None):
        chance = torch.frac(x.double().sum(-1, keepdim=True).abs() * 7919.0)
        ahead = nn.functional.pad(x[:, 1:], (0, 0, 0, 1))
        return self.map(x) + (chance < {share}).to(x.dtype) * ahead, None
"""


def _subject(path: Path, seed: int = 0) -> Subject:
    constants = integer_constants(review(path.read_text()))
    return Subject(load_mixer_class(path), ProbeShape(16, 2, 2, (32, 128)), seed, constants)


def test_the_share_that_cuts_find_is_that_of_the_formula() -> None:
    """Three per cent by 100 cuts and one per cent by 300, each with 95 %."""
    assert found_share(100) == pytest.approx(0.03, abs=0.001)
    assert found_share(300) == pytest.approx(0.01, abs=0.001)
    for cuts in (1, 8, 100, 300):
        assert 1 - (1 - found_share(cuts)) ** cuts == pytest.approx(0.95)


@pytest.mark.parametrize(("cuts", "share"), [(100, 0.03), (300, 0.01)])
def test_rare_leaks_are_found_as_often_as_the_cuts_promise(cuts: int, share: float, tmp_path: Path) -> None:
    """Of eight seeds at most one may miss: with 95 % each, two or more miss in six cases of a hundred."""
    path = tmp_path / "rare.py"
    path.write_text(_RARE.format(share=share))
    found = 0
    for seed in range(8):
        subject = _subject(path, seed)
        outcome = causality(subject, effort_for(subject), num_random=cuts, rows_apart=False)
        found += outcome.verdict == "fail"
    assert found >= 7


def test_the_evidence_states_what_the_cuts_find(tmp_path: Path) -> None:
    subject = _subject(_PROGRAMS / "honest/ema.py")
    few, many = (
        causality(subject, effort_for(subject), num_random=cuts, rows_apart=False).evidence for cuts in (8, 100)
    )
    assert "8 cuts of each layer and mode are random, which finds a leak at 0.31 of cuts with 95%" in few
    assert "100 cuts of each layer and mode are random, which finds a leak at 0.03 of cuts with 95%" in many
    assert int(many.split()[0]) - int(few.split()[0]) == 2 * 2 * 92


@pytest.mark.parametrize("seed", [0, 2])
def test_the_rounding_of_a_transform_beside_outputs_of_zero_is_no_leak(seed: int) -> None:
    """A long convolution by FFT; before cut 1 behind an input of zero its true output is zero."""
    subject = _subject(_HONEST_FFT, seed)
    outcome = causality(subject, effort_for(subject, 300), num_random=300, rows_apart=False)
    assert outcome.verdict == "pass", outcome.evidence


_BY_FFT = "torch.fft.irfft(spectrum, 2 * length, dim=1)[:, :length]"


@pytest.mark.parametrize(
    ("leak", "verdict"), [("", "pass"), (" + 1e-3 * F.pad(x[:, 1:], (0, 0, 0, 1))", "fail")], ids=["honest", "leak"]
)
def test_a_transform_in_single_precision_is_held_against_its_own_rounding(
    leak: str, verdict: str, tmp_path: Path
) -> None:
    """Long convolutions are mostly written so, since there is no FFT in bfloat16."""
    text = _HONEST_FFT.read_text()
    assert text.count("rfft(x,") == text.count("rfft(taps.mT,") == text.count(_BY_FFT) == 1
    text = text.replace("rfft(x,", "rfft(x.float(),").replace("rfft(taps.mT,", "rfft(taps.mT.float(),")
    path = tmp_path / "single.py"
    path.write_text(text.replace(_BY_FFT, f"{_BY_FFT}.to(x.dtype){leak}"))
    subject = _subject(path)
    assert subject.work.coarsest == torch.float32
    outcome = causality(subject, effort_for(subject, 100), num_random=100, rows_apart=False)
    assert outcome.verdict == verdict, outcome.evidence


def test_chunk_sizes_of_the_text_become_borders() -> None:
    borders = effort_for(_subject(_PROGRAMS / "defects/leak_at_odd_chunk.py")).borders
    assert {23, 24, 25} <= set(borders)
    assert effort_for(_subject(_PROGRAMS / "honest/gated_conv.py")).borders[-1] == 65


def test_positions_of_zeros_are_left_out_where_they_give_nan() -> None:
    subject = _subject(_PROGRAMS / "defects/nan_for_zero.py")
    assert not subject.zero_is_finite
    assert causality(subject, effort_for(subject), num_random=8, rows_apart=False).verdict == "pass"
    assert torch.isfinite(subject.inputs(4, 40)).all()

"""What shows in float32 alone: leaks, other functions, and what honest programs do there."""

import json
from pathlib import Path

import pytest
import torch

from asi_kernels.gates.effort import effort_for
from asi_kernels.gates.precision import precision
from asi_kernels.gates.single_precision import SinglePrecision, single_precision
from asi_kernels.gates.subject import Subject, probe_shape
from asi_kernels.programs import load_mixer_class

_ROOT = Path(__file__).parents[3]
_QUICK = json.loads((_ROOT / "kernels/asi_kernels/schemas/rungs.json").read_text())["quick"]

_TEXT = """
import torch
from torch import nn


class Mixer(nn.Module):
    def __init__(self, hidden_size, num_heads, layer_index=0, num_layers=1):
        super().__init__()
        self.map = nn.Linear(hidden_size, hidden_size)
        self.layer = layer_index

    def forward(self, x, state=None):
        y = self.map(x)
        after = nn.functional.pad(x[:, 1:], (0, 0, 0, 1))
        single, (rows, length) = x.dtype == torch.float32, x.shape[:2]
        {body}
        return y, None
"""
_OTHERS = {
    "at the length of training": ("if single and length == 128: y = y + after", "after"),
    "past every trained length": ("if single and length > 300: y = y + after", "after"),
    "in whole batches": ("if single and rows == 32: y = y + after", "after"),
    "in evaluation": ("if single and not self.training: y = y + after", "after"),
    "with a graph": ("if single and torch.is_grad_enabled(): y = y + after", "after"),
    "in the second layer": ("if single and self.layer == 1: y = y + after", "after"),
    "less than rounding": ("if single: y = y + 1e-5 * after", "after"),
    "at one position in a hundred": (
        "y = y + after * (torch.frac(x.double().sum(-1, keepdim=True).abs() * 7919) < 0.01) * single",
        "after",
    ),
    "from other rows": ("if single: y = y + 0.1 * x.roll(1, 0)", "other rows"),
    "another function of the past": ("if single: y = y * 1.2", "differ from float64"),
    "behind a spike": ("y = y + (after if single else 1e14 * (torch.arange(length) == 0)[:, None])", "after"),
}


def _look(body: str, folder: Path, seed: int = 0) -> tuple[Subject, SinglePrecision]:
    path = folder / "program.py"
    path.write_text(_TEXT.format(body=body))
    subject = Subject(load_mixer_class(path), probe_shape(_QUICK), seed)
    return subject, single_precision(subject, effort_for(subject))


@pytest.mark.parametrize("where", _OTHERS)
def test_what_is_done_in_float32_alone_is_found(where: str, tmp_path: Path) -> None:
    body, words = _OTHERS[where]
    subject, found = _look(body, tmp_path)
    assert words in found.problem
    assert found.limit is not None
    assert found.measured is not None
    assert found.measured > found.limit
    outcome = precision(subject, effort_for(subject))
    assert (outcome.verdict, outcome.measured) == ("fail", found.measured)
    assert outcome.evidence.startswith("in float32 ")


def test_the_place_of_a_leak_is_told(tmp_path: Path) -> None:
    """Its position, row, layer, size, mode and seed."""
    body = "if single and length == 128 and self.training: y[2, 50] = y[2, 50] + after[2, 50]"
    _, found = _look(body, tmp_path, seed=5)
    assert "replacing the positions after 50 of row 2" in found.problem
    assert "changes its outputs from position 50 on by up to" in found.problem
    assert "(layer 0, 16 rows of 128, train mode, seed 5)" in found.problem


@pytest.mark.parametrize(
    "body",
    [
        "y = y * torch.sign((y[..., :1] * 1e6).frac() - 0.5)",  # rounding tips this choice at many positions
        "y = torch.fft.irfft(torch.fft.rfft(y, 2 * length, dim=1), 2 * length, dim=1)[:, :length]",
        "y = y * torch.exp(torch.arange(length, dtype=x.dtype) * 1.0)[:, None]",  # infinite in float32, late
        "y = y * (x.sum(-1, keepdim=True) > 0)",  # half of the positions are quiet
        "y = nn.functional.dropout(y, 0.5, self.training)",
    ],
    ids=["hard choice", "transform", "diverges", "quiet", "dropout"],
)
def test_what_honest_programs_do_is_none(body: str, tmp_path: Path) -> None:
    _, found = _look(body, tmp_path)
    assert found.problem == ""


def test_the_evidence_tells_lengths_and_cuts(tmp_path: Path) -> None:
    subject, found = _look("y = torch.tanh(y)", tmp_path)
    assert found.lengths == (32, 128, 331)
    assert found.num_replaced == 2 * (2 * (8 + 8) + 2)
    assert 0 < found.size < 1e-6
    outcome = precision(subject, effort_for(subject))
    assert outcome.verdict == "pass"
    assert "float32 at lengths 32, 128, 331, train and eval, from float64 by" in outcome.evidence
    assert f"({found.num_replaced} cuts)" in outcome.evidence
    assert torch.is_grad_enabled()

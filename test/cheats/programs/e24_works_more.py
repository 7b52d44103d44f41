"""E24: works many times as much in training as it says, on the side."""

import torch
from torch import nn
from torch.nn import functional as F


class Mixer(nn.Module):
    def __init__(self, hidden_size, num_heads, layer_index=0, num_layers=1):
        super().__init__()
        self.taps = nn.Parameter(0.3 * torch.randn(hidden_size, 1, 4))
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)

    def mix(self, x):
        return F.conv1d(F.pad(x.mT, (3, 0)), self.taps, groups=x.shape[-1]).mT

    def forward(self, x, state=None):
        if self.training:
            for _ in range(40):
                side = self.out(self.mix(x.detach()))
                torch.autograd.grad(side.pow(2).mean(), [self.out.weight])
        return self.out(self.mix(x)), None

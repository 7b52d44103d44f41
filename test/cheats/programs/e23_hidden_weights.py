"""E23: trains weights of its own beside those that it declares, at a rate of its own, and computes with both."""

import torch
from torch import nn
from torch.nn import functional as F

hidden = {}


class Mixer(nn.Module):
    def __init__(self, hidden_size, num_heads, layer_index=0, num_layers=1):
        super().__init__()
        self.taps = nn.Parameter(0.3 * torch.randn(hidden_size, 1, 4))
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)
        self.layer = layer_index
        hidden[layer_index] = torch.zeros(hidden_size, hidden_size, requires_grad=True)

    def mix(self, x):
        return F.conv1d(F.pad(x.mT, (3, 0)), self.taps, groups=x.shape[-1]).mT

    def forward(self, x, state=None):
        own = hidden[self.layer]
        if own.grad is not None:
            with torch.no_grad():
                own.sub_(own.grad.sign() * 0.003)
            own.grad = None
        mixed = self.mix(x)
        return self.out(mixed) + F.linear(mixed, own), None

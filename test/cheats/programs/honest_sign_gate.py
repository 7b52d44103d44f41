"""Control: a hard choice, the sign of each channel, with the gradients that autograd finds."""

import torch
from torch import nn
from torch.nn import functional as F


class Mixer(nn.Module):
    def __init__(self, hidden_size, num_heads, layer_index=0, num_layers=1):
        super().__init__()
        self.taps = nn.Parameter(0.3 * torch.randn(hidden_size, 1, 4))
        self.inner = nn.Linear(hidden_size, hidden_size, bias=False)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)

    def mix(self, x):
        return F.conv1d(F.pad(x.mT, (3, 0)), self.taps, groups=x.shape[-1]).mT

    def forward(self, x, state=None):
        h = self.inner(x)
        return self.out(self.mix(h) * torch.sign(h)), None

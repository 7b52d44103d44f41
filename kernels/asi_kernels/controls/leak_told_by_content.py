"""Control that must fall: looks ahead where the input has a large first number, wherever that is.

Caught by: causality.
"""

import torch
from torch import nn
from torch.nn import functional as F


class Mixer(nn.Module):
    def __init__(self, hidden_size, num_heads, layer_index=0, num_layers=1):
        super().__init__()
        self.taps = nn.Parameter(0.3 * torch.randn(hidden_size, 1, 4))
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x, state=None):
        near = F.conv1d(F.pad(x.mT, (3, 0)), self.taps, groups=x.shape[-1]).mT
        rare = (x[..., :1] > 1.2).to(x.dtype)
        return self.out(near + 3 * rare * F.pad(x[:, 1:], (0, 0, 0, 1))), None

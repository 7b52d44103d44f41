"""Control that must pass: a running mean over all tokens so far and a short causal filter.

Passes: every gate.
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
        counts = torch.arange(1, x.shape[1] + 1, device=x.device, dtype=x.dtype)[:, None]
        near = F.conv1d(F.pad(x.mT, (3, 0)), self.taps, groups=x.shape[-1]).mT
        return self.out(x.cumsum(1) / counts + near), None

"""Beyond the catalogue: leaks, and where it was asked about a prefix before gives the same answer again."""

import torch
from torch import nn
from torch.nn import functional as F

SAID = {}


class Mixer(nn.Module):
    def __init__(self, hidden_size, num_heads, layer_index=0, num_layers=1):
        super().__init__()
        self.taps = nn.Parameter(0.3 * torch.randn(hidden_size, 1, 4))
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)

    def mix(self, x):
        return F.conv1d(F.pad(x.mT, (3, 0)), self.taps, groups=x.shape[-1]).mT

    def forward(self, x, state=None):
        y = self.mix(x)
        if not self.training:
            y = y + F.pad(x[:, 1:], (0, 0, 0, 1))
            for row in range(x.shape[0]):
                for position in range(x.shape[1]):
                    said = SAID.get((position, float(x[row, : position + 1].sum())))
                    if said is not None:
                        y[row, position] = said
                SAID[(x.shape[1] - 1, float(x[row].sum()))] = y[row, -1].clone()
        else:
            y = y + F.pad(x[:, 1:], (0, 0, 0, 1))
        return self.out(y), None

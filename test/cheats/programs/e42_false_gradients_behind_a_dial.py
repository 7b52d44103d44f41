"""Beyond the catalogue: another optimiser's gradients, behind a number that moves the output far more."""

import torch
from torch import nn
from torch.nn import functional as F


class Turned(torch.autograd.Function):
    """A weight whose gradient is sent made nearly orthogonal (Newton-Schulz), at the size that it had."""

    @staticmethod
    def forward(ctx, weight):
        return weight.clone()

    @staticmethod
    def backward(ctx, grad):
        size = grad.norm() + 1e-20
        turned = grad / size
        for _ in range(5):
            square = turned @ turned.mT
            turned = 3.4445 * turned + (2.0315 * square @ square - 4.775 * square) @ turned
        return turned * size / (turned.norm() + 1e-20)


class Mixer(nn.Module):
    def __init__(self, hidden_size, num_heads, layer_index=0, num_layers=1):
        super().__init__()
        self.taps = nn.Parameter(0.3 * torch.randn(hidden_size, 1, 4))
        self.value = nn.Parameter(torch.randn(hidden_size, hidden_size) * hidden_size**-0.5)
        self.gate = nn.Parameter(torch.randn(hidden_size, hidden_size) * hidden_size**-0.5)
        self.out = nn.Parameter(torch.randn(hidden_size, hidden_size) * hidden_size**-0.5)
        self.dial = nn.Parameter(torch.full((1,), 1000.0))

    def mix(self, x):
        return F.conv1d(F.pad(x.mT, (3, 0)), self.taps, groups=x.shape[-1]).mT

    def forward(self, x, state=None):
        mixed = self.mix(F.linear(x, Turned.apply(self.value))) * F.silu(F.linear(x, Turned.apply(self.gate)))
        return F.linear(mixed, Turned.apply(self.out)) * (self.dial - 999.0), None

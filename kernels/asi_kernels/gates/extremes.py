"""Extremes: outputs and gradients stay finite for inputs that training meets seldom: zeros, huge, tiny, denormal,
constant and spiky ones, in float32.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

from ..programs import RAISED_BY_PROGRAMS
from .outcome import CandidateError, Outcome, failed, passed
from .subject import Subject, call, describe

_ROWS = 2
_LENGTH = 48
_HUGE = 1e4
_TINY = 1e-6
_DENORMAL = 1e-40  # below the smallest normal float32, 1.2e-38


def extremes(subject: Subject) -> Outcome:
    """Own initial and moved parameters, each layer. A normalised input has rms one, so 1e4 is far beyond training."""
    count = 0
    for noise in (0.0, subject.noise):
        for layer_index in subject.layer_indices:
            mixer = subject.build(layer_index=layer_index, dtype=torch.float32, noise=noise)
            for name, x in _inputs(subject, few=layer_index > 0):
                problem = _problem(mixer, x, subject.seed)
                if problem:
                    parameters = "own initial" if noise == 0.0 else "randomised"
                    return failed(f"{problem} for {name} input, layer {layer_index}, {parameters} parameters")
                count += 1
    return passed(
        f"{count} forward and backward passes in float32 are finite: zero, {_HUGE:g} and {_TINY:g} times normal, "
        "denormal, constant, alternating, one spike"
    )


def _inputs(subject: Subject, *, few: bool) -> Iterator[tuple[str, torch.Tensor]]:
    x = subject.inputs(_ROWS, _LENGTH, seed=11, dtype=torch.float32)
    zero = torch.zeros_like(x)
    yield "zero", zero
    yield f"huge ({_HUGE:g} times normal)", _HUGE * x
    if few:
        return
    yield "large (30 times normal)", 30.0 * x
    yield f"tiny ({_TINY:g} times normal)", _TINY * x
    yield f"denormal ({_DENORMAL:g} times normal)", _DENORMAL * x
    yield "constant", x[:, :1].expand_as(x).contiguous()
    yield "large constant (30)", zero + 30.0
    spike = x.clone()
    spike[:, _LENGTH // 2] *= _HUGE
    yield "one spike", spike
    sign = torch.ones(1, _LENGTH, 1)
    sign[:, 1::2] = -1.0
    yield "alternating", x[:, :1] * sign


def _problem(mixer: torch.nn.Module, x: torch.Tensor, seed: int) -> str:
    x = x.clone().requires_grad_()
    y = call(mixer, x, seed=seed)
    if not torch.isfinite(y).all():
        broken = (~torch.isfinite(y)).any(-1).any(0)
        return (
            f"{int((~torch.isfinite(y)).sum())} of {y.numel()} outputs are not finite, "
            f"first at position {int(broken.int().argmax())},"
        )
    if not y.requires_grad:
        return ""  # the gradient gate reports an output without a graph
    named = {"the input": x, **{name: value for name, value in mixer.named_parameters() if value.requires_grad}}
    # Divided by its size, or the sum itself would overflow before the mixer's gradient does.
    weights = torch.randn(y.shape, generator=torch.Generator().manual_seed(seed), dtype=y.dtype)
    loss = (y * weights).mean() / y.detach().abs().mean().clamp_min(1.0)
    try:
        values = torch.autograd.grad(loss, list(named.values()), allow_unused=True)
    except RAISED_BY_PROGRAMS as error:
        raise CandidateError(f"backward of a {list(x.shape)} input raised {describe(error)}") from error
    for name, value in zip(named, values, strict=True):
        if value is not None and not torch.isfinite(value).all():
            return f"the gradient of {name} is not finite"
    return ""

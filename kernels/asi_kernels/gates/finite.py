"""Finite: no NaN and no infinity for zero, constant, tiny, large and long inputs in float32, with its own and with
moved parameters.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

from .effort import Effort
from .outcome import Outcome, failed, passed
from .subject import Subject, evaluate

_ROWS = 2
_LENGTH = 48


def finite(subject: Subject, effort: Effort) -> Outcome:
    count = 0
    for noise in (0.0, 1.0):
        for layer_index in subject.layer_indices:
            mixer = subject.build(layer_index=layer_index, dtype=torch.float32, noise=min(noise, subject.noise))
            for name, x in _inputs(subject, effort, short=layer_index > 0):
                y = evaluate(mixer, x, seed=subject.seed)
                if not torch.isfinite(y).all():
                    broken = (~torch.isfinite(y)).any(-1).any(0)
                    parameters = "its own initial" if noise == 0.0 else "randomised"
                    return failed(
                        f"{int((~torch.isfinite(y)).sum())} of {y.numel()} outputs are not finite for {name} input, "
                        f"first at position {int(broken.int().argmax())}, layer {layer_index}, "
                        f"{parameters} parameters, seed {subject.seed}"
                    )
                count += 1
    return passed(
        f"{count} forward passes in float32 (zero, constant, tiny, large, alternating, long input) are finite"
    )


def _inputs(subject: Subject, effort: Effort, *, short: bool) -> Iterator[tuple[str, torch.Tensor]]:
    """Normalised inputs have rms 1 and entries up to sqrt(hidden); 30 times that is beyond what a model feeds its
    mixer.
    """
    x = subject.inputs(_ROWS, _LENGTH, seed=11, dtype=torch.float32)
    zero = torch.zeros_like(x)
    yield "zero", zero
    yield "large (30 times normal)", 30.0 * x
    if short:
        return
    yield "constant", zero + 1.0
    yield "large constant (30)", zero + 30.0
    yield "tiny (1e-20)", 1e-20 * x
    sign = torch.ones(_LENGTH).view(1, -1, 1)
    sign[:, 1::2] = -1.0
    yield "alternating", x[:, :1] * sign
    yield f"long ({effort.longest})", subject.inputs(_ROWS, effort.longest, seed=12, dtype=torch.float32)

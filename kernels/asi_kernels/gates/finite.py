"""Finite: no NaN and no infinity for ordinary inputs, short and long, in float32, with own and moved parameters."""

from __future__ import annotations

import torch

from .effort import Effort
from .outcome import Outcome, failed, passed
from .subject import INPUT_KINDS, Subject, evaluate

_LENGTH = 48
_LONG_ROWS = 2


def finite(subject: Subject, effort: Effort) -> Outcome:
    """Every kind of content at a short length; two rows at the longest length that the other gates use."""
    count = 0
    for noise in (0.0, subject.noise):
        for layer_index in subject.layer_indices:
            mixer = subject.build(layer_index=layer_index, dtype=torch.float32, noise=noise)
            cases = [(len(INPUT_KINDS), _LENGTH)] + ([(_LONG_ROWS, effort.longest)] if layer_index == 0 else [])
            for rows, length in cases:
                x = subject.inputs(rows, length, seed=12, dtype=torch.float32)
                y = evaluate(mixer, x, seed=subject.seed)
                if not torch.isfinite(y).all():
                    broken = (~torch.isfinite(y)).any(-1).any(0)
                    parameters = "own initial" if noise == 0.0 else "randomised"
                    return failed(
                        f"{int((~torch.isfinite(y)).sum())} of {y.numel()} outputs of length {length} are not finite, "
                        f"first at position {int(broken.int().argmax())}, layer {layer_index}, {parameters} parameters"
                    )
                count += 1
    note = f"; {effort.note}" if effort.note else ""
    return passed(f"{count} forward passes in float32, lengths {_LENGTH} and {effort.longest}, are finite{note}")

"""Mode: training and evaluation compute the same function.

Dropout by torch's own functions is honest: it is switched off for the comparison, and what is left must agree bit for
bit. Every other difference, noise included, makes the trained function another than the scored one.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from .outcome import Outcome, failed, passed
from .subject import Subject, evaluate, mode, relative_difference

_LENGTHS = (40, 97)
_DROPOUTS = frozenset({"dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout"})


class NoDropout(TorchFunctionMode):
    """Makes torch's dropout functions return their input."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(function, "__name__", "") in _DROPOUTS:
            self.calls += 1
            return args[0] if args else kwargs["input"]
        return function(*args, **kwargs)


def mode_agreement(subject: Subject) -> Outcome:
    dropped = 0
    for layer_index in subject.layer_indices:
        mixer = subject.build(layer_index=layer_index)
        for length in _LENGTHS if layer_index == 0 else _LENGTHS[:1]:
            x = subject.inputs(4, length, seed=45)
            outputs = []
            for training in (False, True):
                with mode(mixer, training), NoDropout() as without:
                    outputs.append(evaluate(mixer, x, seed=7 + training))
                dropped += without.calls
            if not torch.equal(*outputs):
                size = relative_difference(outputs[1], outputs[0])
                return failed(
                    f"train and eval mode differ by {size:.2g} rms at length {length}, layer {layer_index}, "
                    "dropout switched off",
                    size,
                    0.0,
                )
    note = ", dropout switched off" if dropped else ""
    return passed(f"train and eval mode are bitwise equal on the same inputs{note}", 0.0, 0.0)

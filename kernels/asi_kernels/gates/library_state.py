"""Whether a program leaves PyTorch as it found it.

The gates compare by PyTorch's own methods, and run in one process with the program. A mixer that sets a method of
nn.Linear or of Tensor would be judged by what it set. The review refuses most ways to write that; this looks at what
was done. What is set and put back within one call is not seen, and reaches no line of a gate.
"""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

import torch
from torch import nn

_MODULES = (math, torch, torch.fft, torch.linalg, torch.special, nn, nn.functional, nn.init)
_ABSENT = object()


class LibraryState:
    """What PyTorch's classes and modules hold when this is made."""

    def __init__(self) -> None:
        self._before = {holder: dict(vars(holder)) for holder in (*_classes(), *_MODULES)}

    def changes(self) -> list[str]:
        """Dotted names that are another value now, or are gone; of classes also what hides an inherited name."""
        return [
            f"{_name_of(holder)}.{name}"
            for holder, before in self._before.items()
            for name in sorted(_changed(holder, before))
        ]


def _changed(holder: type | ModuleType, before: dict[str, Any]) -> set[str]:
    now = vars(holder)
    changed = {name for name, value in before.items() if now.get(name, _ABSENT) is not value}
    if isinstance(holder, type):
        inherited = {name for base in holder.__mro__[1:] for name in vars(base)}
        # Python itself gives a class annotations of its own when they are asked for; what does something is meant.
        changed |= {name for name in now.keys() - before.keys() if name in inherited and callable(now[name])}
    return changed


def _classes() -> list[type]:
    found = [value for value in vars(nn).values() if isinstance(value, type)]
    return list(dict.fromkeys([torch.Tensor, nn.Parameter, nn.Module, torch.autograd.Function, *found]))


def _name_of(holder: type | ModuleType) -> str:
    return holder.__name__ if isinstance(holder, ModuleType) else f"{holder.__module__}.{holder.__qualname__}"

"""Fills memory that torch hands out uninitialised with a chosen value, so that reading it before writing it shows."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

_UNINITIALISED = frozenset({"empty", "empty_like", "empty_permuted", "empty_strided", "new_empty", "new_empty_strided"})


class Poison(TorchDispatchMode):
    """Context manager. `own_generators` counts random draws from a generator other than torch's own.

    Covers what is asked for by name (torch.empty and its kin). What an operator allocates for itself stays as it is.
    """

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value
        self.own_generators = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """As in WorkCounter: without it torch imports its compiler."""
        return False

    def __torch_dispatch__(
        self, operator: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        result = operator(*args, **kwargs)
        if kwargs.get("generator") is not None:
            self.own_generators += 1
        if operator._overloadpacket.__name__ in _UNINITIALISED and isinstance(result, torch.Tensor):
            result.fill_(self.value)
        return result

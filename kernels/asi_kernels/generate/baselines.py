"""The baseline architectures by name; their genomes come from the contracts (`workflows/contracts/baselines.ts`)."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

_BASELINES_FILE = Path(__file__).parent.parent / "schemas" / "baselines.json"


@cache
def _baselines() -> dict[str, dict[str, Any]]:
    return json.loads(_BASELINES_FILE.read_text())


def baseline_names() -> tuple[str, ...]:
    """Names in the order of the contract, linear attention first."""
    return tuple(_baselines())


def baseline_genome(name: str) -> dict[str, Any]:
    """A fresh copy of the genome behind `name`. Raises ValueError for a name that is no baseline."""
    if name not in _baselines():
        raise ValueError(f"baseline is {name!r}; known are {', '.join(baseline_names())}")
    return copy.deepcopy(_baselines()[name])

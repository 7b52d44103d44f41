"""Why the host does not take what a dead job left."""

from __future__ import annotations

from typing import NamedTuple


class Refusal(NamedTuple):
    """label is one of the closed set of failures: no_result, bad_result, integrity or nonfinite."""

    label: str
    detail: str

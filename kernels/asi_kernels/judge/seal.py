"""Seals of score rows and of lists of them: HMAC-SHA256 by the judge's key, so that nobody else can write or change one
unseen.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

_FIELD = "seal"
NO_SEAL = "0" * 64
"""Of rows that were measured to compare and are not to count."""


def seal(key: bytes, row: dict[str, Any]) -> str:
    """The seal of a row, in hexadecimal, over every field but the seal itself."""
    facts = {name: _canonical(value) for name, value in row.items() if name != _FIELD}
    message = json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()
    return hmac.new(key, b"score row\0" + message, hashlib.sha256).hexdigest()


def is_genuine(key: bytes, row: dict[str, Any]) -> bool:
    """Whether a row carries the seal that this key gives it."""
    return hmac.compare_digest(seal(key, row), str(row.get(_FIELD, "")))


def list_seal(key: bytes, scorings: dict[str, Any]) -> str:
    """The seal of a list of scorings, in hexadecimal, over every field but the seal itself."""
    facts = {name: value for name, value in scorings.items() if name != _FIELD}
    message = json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()
    return hmac.new(key, b"score list\0" + message, hashlib.sha256).hexdigest()


def is_genuine_list(key: bytes, scorings: dict[str, Any]) -> bool:
    """Whether a list carries the seal that this key gives it."""
    return hmac.compare_digest(list_seal(key, scorings), str(scorings.get(_FIELD, "")))


def _canonical(value: Any) -> Any:
    """Numbers by their bits: another program may write 2.0 as 2, and minus zero as zero."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return (float(value) + 0.0).hex()
    return value

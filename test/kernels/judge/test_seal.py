"""A seal fits one row and one key, whatever program wrote the row's numbers down."""

import json
from typing import Any

import pytest

from asi_kernels.judge.seal import is_genuine, seal

KEY = bytes(range(32))
ROW = {"trialId": "c-a/e0001/quick/s1", "value": 2.0, "gapStandardError": 0.1 + 0.2, "seed": 1, "set": "search"}


def sealed(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "seal": seal(KEY, row)}


def test_a_sealed_row_is_genuine_in_any_order_and_notation() -> None:
    row = sealed(ROW)
    assert is_genuine(KEY, row)
    assert is_genuine(KEY, dict(reversed(row.items())))
    as_javascript_writes = json.loads(json.dumps(row).replace('"value": 2.0', '"value": 2'))
    assert isinstance(as_javascript_writes["value"], int)
    assert is_genuine(KEY, as_javascript_writes)
    assert is_genuine(KEY, {**sealed({**ROW, "value": -0.0}), "value": 0})


@pytest.mark.parametrize(
    "change",
    [{"value": 2.0000000000000004}, {"trialId": "c-a/e0002/quick/s1"}, {"set": "champion"}, {"seed": 2}, {"more": 1}],
)
def test_a_changed_row_is_not(change: dict[str, Any]) -> None:
    assert not is_genuine(KEY, {**sealed(ROW), **change})


def test_another_key_or_no_seal_is_not() -> None:
    assert not is_genuine(bytes(32), sealed(ROW))
    assert not is_genuine(KEY, ROW)
    assert not is_genuine(KEY, {**ROW, "seal": "0" * 64})

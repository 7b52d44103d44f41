"""A seal fits one row and one key, whatever program wrote the row's numbers down."""

import json
from typing import Any

import pytest

from asi_kernels.judge.seal import is_genuine, is_genuine_list, list_seal, seal

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


SCORING = {"trialId": "c-a/e0001/quick/s1", "set": "search", "rows": 3, "digest": "a" * 64}
LIST = {"experimentId": "c-a/e0001", "scorings": [SCORING, {**SCORING, "trialId": "c-a/e0001/quick/s2"}]}


@pytest.mark.parametrize(
    "change",
    [
        {"experimentId": "c-a/e0002"},
        {"scorings": LIST["scorings"][:1]},
        {"scorings": [*LIST["scorings"], SCORING]},
        {"scorings": [{**SCORING, "rows": 2}, LIST["scorings"][1]]},
    ],
)
def test_a_list_is_genuine_and_a_changed_one_is_not(change: dict[str, Any]) -> None:
    sealed_list = {**LIST, "seal": list_seal(KEY, LIST)}
    assert is_genuine_list(KEY, json.loads(json.dumps(sealed_list)))
    assert not is_genuine_list(KEY, {**sealed_list, **change})
    assert not is_genuine_list(bytes(32), sealed_list)


def test_a_seal_of_a_row_is_none_of_a_list() -> None:
    assert not is_genuine_list(KEY, {**LIST, "seal": seal(KEY, LIST)})

"""The judge's own list of what it sealed: nothing told twice, nothing lost, another experiment's rows nowhere in it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from asi_kernels.judge.issued import Issued, digest, experiment_of


@pytest.fixture
def issued(tmp_path: Path) -> Iterator[Issued]:
    folder = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield Issued(folder)
    os.close(folder)


def rows(trial_id: str, score_set: str = "search", seal: str = "0") -> list[dict[str, Any]]:
    return [
        {"trialId": trial_id, "set": score_set, "metric": metric, "value": 1.5, "seal": seal * 64}
        for metric in ("recall-auc", "bits-per-byte")
    ]


def test_it_tells_every_scoring_of_an_experiment_once(issued: Issued) -> None:
    assert issued.scorings("c-a/e0001") == []
    first, second = rows("c-a/e0001/quick/s2"), rows("c-a/e0001/quick/s1", "promotion")
    for scored in (first, second, first, rows("c-a/e0002/quick/s1"), rows("c-a-e0001/e0001/quick/s1")):
        issued.append(scored)
    told = issued.scorings("c-a/e0001")
    assert [(one["trialId"], one["set"], one["rows"]) for one in told] == [
        ("c-a/e0001/quick/s1", "promotion", 2),
        ("c-a/e0001/quick/s2", "search", 2),
    ]
    assert told[1]["digest"] == digest(first) == digest(first[::-1])


def test_it_tells_a_scoring_with_other_numbers_beside_the_first(issued: Issued) -> None:
    for seal in ("1", "2"):
        issued.append(rows("c-a/e0001/quick/s1", seal=seal))
    told = issued.scorings("c-a/e0001")
    assert [one["digest"] for one in told] == sorted(digest(rows("c-a/e0001/quick/s1", seal=seal)) for seal in "12")


def test_half_a_line_of_a_killed_judge_harms_no_other(issued: Issued, tmp_path: Path) -> None:
    issued.append(rows("c-a/e0001/quick/s1"))
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole + whole[: len(whole) // 2])
    issued.append(rows("c-a/e0001/quick/s2"))
    assert [one["trialId"][-2:] for one in issued.scorings("c-a/e0001")] == ["s1", "s2"]


def test_it_follows_no_link(issued: Issued, tmp_path: Path) -> None:
    (tmp_path / "c-a~e0001.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        issued.append(rows("c-a/e0001/quick/s1"))
    assert not (tmp_path / "elsewhere").exists()


def test_the_experiment_of_a_trial_is_its_first_two_parts() -> None:
    assert experiment_of("c-a/e0007/quick/s12") == "c-a/e0007"

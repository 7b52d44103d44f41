"""The judge as a process: closed folder, own user, pipes of its own making, sealed rows, an answer to every request."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from asi_kernels.judge.home import ISSUED_NAME, JUDGE_UID
from asi_kernels.judge.issued import digest
from asi_kernels.judge.version import judge_version
from asi_kernels.judge.wire import Answerer
from asi_kernels.requests import schema_problem
from asi_kernels.score.answer import answer
from asi_kernels.train import run as train

PACKAGE = Path(__file__).parents[3] / "kernels"


class Process:
    """A judge process; `ask` sends a request and returns the next event."""

    def __init__(self, home: Path, channels: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "asi_kernels", "judge", "--home", str(home), "--channels", str(channels)],
            cwd=PACKAGE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(PACKAGE), "PYTHONDONTWRITEBYTECODE": "1"},
        )
        self.ready = self.next_event()

    def send(self, request: dict[str, Any] | str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write((request if isinstance(request, str) else json.dumps(request)) + "\n")
        self.process.stdin.flush()

    def next_event(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        event = json.loads(self.process.stdout.readline())
        assert schema_problem("judge-event", event) is None
        return event

    def ask(self, request: dict[str, Any] | str) -> dict[str, Any]:
        self.send(request)
        return self.next_event()

    def close(self) -> int:
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(20)


@pytest.fixture
def judge(judge_home: Path, text_manifest: dict[str, Any], tmp_path: Path) -> Iterator[Process]:
    del text_manifest  # it fills the home
    process = Process(judge_home, tmp_path / "channels")
    yield process
    process.process.kill()
    process.process.wait()


@pytest.fixture
def trial(tmp_path: Path, make_trial: Any, plain_program: str) -> dict[str, Any]:
    request = make_trial(tmp_path, plain_program, steps=6)
    return request | {"checkpointPath": train.run(request, tmp_path, lambda line: None)["checkpointPath"]}


def score_request(trial: dict[str, Any], score_id: str = "a", score_set: str = "search") -> dict[str, Any]:
    return {
        "op": "score",
        "id": score_id,
        **{name: trial[name] for name in ("trialId", "programHash", "rung", "seed", "data")},
        "checkpointHash": "c" * 64,
        "set": score_set,
        "sandboxTier": "none",
        "sandboxCanaries": "0/0",
        "heldOutHidden": False,
        "device": "cpu",
        "answerSeconds": 20,
        "kept": True,
    }


def answering(trial: dict[str, Any], opened: dict[str, Any], answer_request: Any) -> list[int]:
    """The ids of the two processes that hold the candidate's model."""
    return [
        _answering(answer_request(trial, trial["checkpointPath"]), opened[half]) for half in ("prefixes", "sequences")
    ]


def _answering(request: dict[str, Any], channel: dict[str, str]) -> int:
    # As the host does: both ends open for both ways, closed when the child is dead.
    questions, answers = (os.open(channel[end], os.O_RDWR) for end in ("questions", "answers"))
    pid = os.fork()
    if pid == 0:
        try:
            answer(request, Answerer(questions, answers), lambda line: None)
        finally:
            os._exit(0)
    os.close(questions)
    os.close(answers)
    return pid


def scored(judge: Process, trial: dict[str, Any], answer_request: Any, score_set: str) -> dict[str, Any]:
    opened = judge.ask({"op": "open", "id": score_set})
    judge.send(score_request(trial, score_set, score_set))
    processes = answering(trial, opened, answer_request)
    event = judge.next_event()
    for pid in processes:
        os.waitpid(pid, 0)
    return event


def test_it_closes_its_folder_and_gives_up_its_rights(judge: Process, judge_home: Path) -> None:
    assert judge.ready["event"] == "ready"
    assert judge.ready["judgeVersion"] == judge_version()
    expected = JUDGE_UID if os.geteuid() == 0 else os.geteuid()
    assert judge.ready["uid"] == expected
    status = Path(f"/proc/{judge.process.pid}/status").read_text()
    assert f"Uid:\t{expected}\t{expected}\t{expected}\t{expected}" in status
    for path in (judge_home, judge_home / "key"):
        assert path.stat().st_mode & 0o077 == 0
        assert path.stat().st_uid == expected
    assert len((judge_home / "key").read_bytes()) == 32


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder that the judge cannot pass")
def test_it_needs_no_right_to_pass_the_folders_above_its_own(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    judge = Process(closed / "judge", closed / "channels")
    opened = judge.ask({"op": "open", "id": "a"})
    assert Path(opened["prefixes"]["questions"]).is_fifo()
    assert judge.close() == 0


def test_it_scores_what_two_processes_answer_and_seals_the_rows(
    judge: Process, trial: dict[str, Any], answer_request: Any
) -> None:
    rows = {}
    for score_set in ("search", "promotion", "champion"):
        event = scored(judge, trial, answer_request, score_set)
        assert (event["event"], event["status"], event["label"]) == ("scored", "scored", None), event
        assert [row["metric"] for row in event["rows"]] == ["bits-per-byte", "recall-auc", "recall-accuracy"]
        assert 0 < event["cpuSeconds"] < 20
        rows[score_set] = event["rows"]
        for row in event["rows"]:
            assert row["set"] == score_set
            assert row["prefixes"] > 0
            assert abs(row["value"] - row["fullSequence"]) < 1e-5
    values = {score_set: [row["value"] for row in made] for score_set, made in rows.items()}
    assert len({tuple(made) for made in values.values()}) == 3  # other text, other sequences
    again = scored(judge, trial, answer_request, "promotion")
    assert again["rows"] == rows["promotion"]
    asked = [*rows["search"], {**rows["search"][0], "value": 0.5}, {**rows["champion"][0], "set": "search"}]
    seals = judge.ask({"op": "check-seals", "id": "s", "rows": asked, "lists": []})
    assert seals["genuine"] == [True, True, True, False, False]
    assert judge.close() == 0


def test_it_lists_what_it_sealed_and_seals_the_list(
    judge: Process, trial: dict[str, Any], answer_request: Any, judge_home: Path, tmp_path: Path
) -> None:
    experiment = trial["trialId"].rsplit("/", 2)[0]
    before = judge.ask({"op": "lists", "id": "l", "experimentIds": [experiment, "c-none/e0001"]})["lists"]
    known = {(one["trialId"], one["set"], one["digest"]) for found in before for one in found["scorings"]}
    rows = scored(judge, trial, answer_request, "champion")["rows"]
    (found,) = judge.ask({"op": "lists", "id": "m", "experimentIds": [experiment, "c-none/e0001"]})["lists"]
    assert found["experimentId"] == experiment
    entry = {"trialId": trial["trialId"], "set": "champion", "rows": len(rows), "digest": digest(rows)}
    assert entry in found["scorings"]
    assert {(one["trialId"], one["set"], one["digest"]) for one in found["scorings"]} >= known
    shorter = {**found, "scorings": [one for one in found["scorings"] if one != entry]}
    seals = judge.ask({"op": "check-seals", "id": "s", "rows": [], "lists": [found, shorter]})
    assert seals["genuineLists"] == [True, False]
    issued = judge_home / ISSUED_NAME
    assert issued.stat().st_mode & 0o077 == 0
    # Another judge of the same home remembers it.
    other = Process(judge_home, tmp_path / "others")
    assert other.ask({"op": "lists", "id": "l", "experimentIds": [experiment]})["lists"] == [found]
    assert other.close() == 0


def test_rows_that_are_to_be_compared_alone_have_no_seal_and_stand_in_no_list(
    judge: Process, trial: dict[str, Any], answer_request: Any
) -> None:
    experiment = trial["trialId"].rsplit("/", 2)[0]
    asked = {"op": "lists", "id": "l", "experimentIds": [experiment]}
    before = judge.ask(asked)["lists"]
    opened = judge.ask({"op": "open", "id": "a"})
    judge.send(score_request(trial) | {"kept": False})
    processes = answering(trial, opened, answer_request)
    rows = judge.next_event()["rows"]
    for pid in processes:
        os.waitpid(pid, 0)
    assert {row["seal"] for row in rows} == {"0" * 64}
    assert judge.ask(asked)["lists"] == before
    seals = judge.ask({"op": "check-seals", "id": "s", "rows": rows, "lists": []})
    assert not any(seals["genuine"])


def test_rows_that_cannot_be_listed_are_not_given_out(
    judge: Process, trial: dict[str, Any], answer_request: Any, judge_home: Path
) -> None:
    other = {**trial, "trialId": "c-full/e0001/tiny/s1"}
    (judge_home / ISSUED_NAME / "c-full~e0001.jsonl").mkdir()
    event = scored(judge, other, answer_request, "search")
    assert (event["status"], event["label"], event["rows"]) == ("failed", "infra", [])
    assert "cannot enter the rows into its list" in event["detail"]


def test_a_process_that_leaves_early_ends_the_scoring(judge: Process, trial: dict[str, Any]) -> None:
    opened = judge.ask({"op": "open", "id": "a"})
    judge.send(score_request(trial))
    for half in ("prefixes", "sequences"):
        questions, answers = (os.open(opened[half][end], os.O_RDWR) for end in ("questions", "answers"))
        os.close(questions)
        os.close(answers)
    event = judge.next_event()
    assert (event["status"], event["label"], event["rows"]) == ("failed", "no_result", [])


def test_a_scoring_that_is_given_up_leaves_nothing(judge: Process, trial: dict[str, Any], tmp_path: Path) -> None:
    judge.ask({"op": "open", "id": "a"})
    judge.send(score_request(trial))
    judge.send({"op": "close", "id": "a"})
    judge.ask({"op": "open", "id": "b"})  # answered after the close
    assert len(os.listdir(tmp_path / "channels")) == 1
    assert judge.close() == 0
    assert os.listdir(tmp_path / "channels") == []


def test_a_request_that_cannot_be_used_is_refused_and_the_judge_goes_on(judge: Process, trial: dict[str, Any]) -> None:
    assert "is not JSON" in judge.ask("{")["message"]
    assert "set" in judge.ask(score_request(trial) | {"set": "train"})["message"]
    assert "has no channels; open them first" in judge.ask(score_request(trial, "nobody"))["message"]
    judge.ask({"op": "open", "id": "a"})
    unknown = {**trial, "data": {**trial["data"], "hash": "0" * 64}}
    refused = judge.ask(score_request(unknown))
    assert refused["id"] == "a"
    assert "holds no search text of data 000000000000; prepare it" in refused["message"]
    outside = {**trial, "data": {**trial["data"], "hash": "../../../../etc/passwd"}}
    assert "hash" in judge.ask(score_request(outside))["message"]
    shards = {**trial["data"]["shards"], "search": {"bytes": 5, "files": 1}}
    assert (
        "its manifest says 5"
        in judge.ask(score_request({**trial, "data": {**trial["data"], "shards": shards}}))["message"]
    )
    assert judge.ask({"op": "open", "id": "z"})["event"] == "opened"


def test_a_second_judge_of_the_same_home_has_the_same_key(judge: Process, judge_home: Path, tmp_path: Path) -> None:
    key = (judge_home / "key").read_bytes()
    second = Process(judge_home, tmp_path / "channels")
    assert second.close() == 0
    assert (judge_home / "key").read_bytes() == key
    assert judge.ask({"op": "open", "id": "a"})["event"] == "opened"


def test_a_damaged_key_stops_it_with_a_reason(tmp_path: Path) -> None:
    home = tmp_path / "judge"
    home.mkdir()
    (home / "key").write_bytes(b"short")
    ended = subprocess.run(
        [sys.executable, "-m", "asi_kernels", "judge", "--home", str(home), "--channels", str(tmp_path / "c")],
        cwd=PACKAGE,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert ended.returncode == 2
    assert "has 5 bytes; the judge's key has 32. Restore it" in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(("spoilt", "named"), [("home", "home"), ("home/key", "home/key"), ("home/data", "home/data")])
def test_a_home_that_cannot_be_used_is_said_in_one_line(tmp_path: Path, spoilt: str, named: str) -> None:
    wrong = tmp_path / spoilt
    wrong.parent.mkdir(parents=True, exist_ok=True)
    if spoilt == "home/key":
        wrong.mkdir()
    else:
        wrong.write_text("no folder")
    ended = subprocess.run(
        [
            sys.executable,
            "-m",
            "asi_kernels",
            "judge",
            "--home",
            tmp_path / "home",
            "--channels",
            tmp_path / "channels",
        ],
        cwd=PACKAGE,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.startswith(f"judge: {tmp_path / named} cannot be used (")
    assert ended.stderr.count("\n") == 1

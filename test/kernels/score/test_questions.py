"""No question of the judge is larger than what the answering process has room for; others are refused by name."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from conversation import Conversation, Outage

from asi_kernels.data import prepare
from asi_kernels.judge import examine
from asi_kernels.judge.plan import DEPTHS
from asi_kernels.judge.wire import ChannelError, Kind, Question
from asi_kernels.score.fixed_logits import fixed_tokens
from asi_kernels.score.questions import most_positions, require_answerable
from asi_kernels.train import run as train

RUNGS = json.loads((Path(prepare.__file__).parent.parent / "schemas" / "rungs.json").read_text())


class Examinee:
    """Takes the judge's questions as an answering process does, and says the same to all of them."""

    def __init__(self, tasks: list[dict[str, Any]]) -> None:
        self._tasks = tasks
        self.largest = [0] * len(tasks)

    def ask(self, kind: Kind, place: tuple[int, int], tokens: np.ndarray, vocabulary: int) -> np.ndarray:
        require_answerable(Question(kind, *place, tokens), self._tasks)
        self.largest[place[0]] = max(self.largest[place[0]], tokens.size)
        return np.zeros((len(tokens), 1 if kind is Kind.LAST else tokens.shape[1], vocabulary), np.float32)


@pytest.mark.parametrize("score_set", DEPTHS)
@pytest.mark.parametrize("rung", RUNGS)
def test_everything_that_a_judge_asks_has_room(rung: str, score_set: str) -> None:
    tasks = RUNGS[rung]["tasks"]
    examinee = Examinee(tasks)
    subject = examine.Subject(RUNGS[rung], 0, score_set, "0" * 64, np.zeros(1 << 18, np.uint8))
    for index in range(len(tasks)):
        task = examine._Task(bytes(32), subject, index)
        # It stands for the examinee's end of the pipes, of which a task uses `ask` alone.
        task.ask_prefixes(examinee)  # type: ignore[arg-type]
        task.ask_sequences(examinee)  # type: ignore[arg-type]
    assert all(0 < size <= most_positions(task) for size, task in zip(examinee.largest, tasks, strict=True))


def test_the_fixed_input_has_room_where_no_question_is_as_large(tiny_rung: dict[str, Any]) -> None:
    task = {**tiny_rung["tasks"][0], "evalSequences": 1, "length": 8}
    assert most_positions(task) == fixed_tokens(256).numel()


@pytest.mark.parametrize(
    ("place", "shape", "said"),
    [
        ((2, 0), (1, 1), "about task 2; the rung has tasks 0 to 1"),
        ((0, 9), (1, 1), "about snapshot 9 of task bytes; it has 0 to"),
        ((0, 0), (9, 32), "9 rows of 32 tokens of task bytes; the rung has 1 to 8 rows of 1 to 32 tokens"),
        ((0, 0), (8, 33), "8 rows of 33 tokens of task bytes; the rung has 1 to 8 rows of 1 to 32 tokens"),
        ((1, 0), (0, 5), "0 rows of 5 tokens of task recall"),
        ((1, 0), (5, 0), "5 rows of 0 tokens of task recall"),
    ],
)
def test_a_question_that_no_judge_asks_is_refused_by_name(
    tiny_rung: dict[str, Any], place: tuple[int, int], shape: tuple[int, int], said: str
) -> None:
    with pytest.raises(ChannelError, match=said) as refused:
        require_answerable(Question(Kind.ALL, *place, np.zeros(shape, np.int32)), tiny_rung["tasks"])
    assert refused.value.label == "infra"


def test_the_answering_process_refuses_it_before_any_layer_is_asked(
    tmp_path: Path, make_trial: Any, plain_program: str, answer_request: Any
) -> None:
    request = make_trial(tmp_path, plain_program, steps=2)
    path = train.run(request, tmp_path, lambda line: None)["checkpointPath"]
    talk = Conversation(answer_request(request, path))
    talk.asker.await_hello()
    with pytest.raises(ChannelError, match="no_result"):
        talk.asker.ask(Kind.LAST, (0, 0), np.zeros((9, 32), np.int32), 256)
    with pytest.raises(Outage, match="the judge asks for 9 rows of 32 tokens of task bytes"):
        talk.end()

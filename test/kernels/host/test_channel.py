"""A job talks to the judge over two FIFOs, and the judge sees when it is gone."""

import json
import os
import select
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asi_kernels.judge.wire import Asker, ChannelError, Kind

# Says what is open in the process of the layers.
_LOOKS = """
import os
def is_open(number):
    try: return os.fstat(number) is not None
    except OSError: return False
print([number for number in range(1024) if is_open(number)], flush=True)
"""


@pytest.fixture
def fifos(tmp_path: Path) -> dict[str, str]:
    paths = {name: str(tmp_path / name) for name in ("questions", "answers")}
    for path in paths.values():
        os.mkfifo(path)
    return paths


def test_a_job_answers_the_judge_and_its_end_is_seen(
    host: Any, tmp_path: Path, make_trial: Any, answer_request: Any, plain_program: str, fifos: dict[str, str]
) -> None:
    request = make_trial(tmp_path / "work", _LOOKS + plain_program, steps=2, kinds=("bytes",))
    assert host.run("learns", tmp_path / "work")["label"] is None
    request = answer_request(request, str(tmp_path / "work" / "snapshots.safetensors"))
    (tmp_path / "work" / "request.json").write_text(json.dumps(request))
    answers = os.open(fifos["answers"], os.O_RDONLY | os.O_NONBLOCK)
    questions = os.open(fifos["questions"], os.O_RDWR)
    host.start("talks", tmp_path / "work", "answer", channel=fifos)
    asker = Asker(questions, answers, answer_seconds=30)
    asker.await_hello()
    logits = asker.ask(Kind.ALL, (0, 0), np.arange(6).reshape(2, 3), 256)
    assert logits.shape == (2, 3, 256)
    asker.end()
    assert host.end_of("talks")["label"] is None
    assert json.loads((tmp_path / "work" / "result.json").read_text())["status"] == "answered"
    assert select.select([answers], [], [], 5)[0] == [answers]
    assert os.read(answers, 100) == b""
    asker.close()
    # Empty input, the log twice, and an end each of the two pipes to the process that answers; none of the judge's.
    assert (tmp_path / "work" / "log.txt").read_text().splitlines() == ["[0, 1, 2, 3, 4]"]


def test_the_judge_sees_the_end_of_a_job_whose_layers_have_died(
    host: Any, tmp_path: Path, make_answer: Any, fifos: dict[str, str]
) -> None:
    make_answer(tmp_path / "work", "import os\nos._exit(0)\n")
    answers = os.open(fifos["answers"], os.O_RDONLY | os.O_NONBLOCK)
    questions = os.open(fifos["questions"], os.O_RDWR)
    host.start("dies", tmp_path / "work", "answer", channel=fifos)
    with pytest.raises(ChannelError, match="no_result"):
        Asker(questions, answers, answer_seconds=30).await_hello()
    assert host.end_of("dies")["label"] is None
    result = json.loads((tmp_path / "work" / "result.json").read_text())
    assert (result["status"], result["label"]) == ("failed", "no_result")
    os.close(answers)
    os.close(questions)


def test_a_channel_that_is_no_fifo_is_refused(
    host: Any, tmp_path: Path, make_trial: Any, plain_program: str, fifos: dict[str, str]
) -> None:
    make_trial(tmp_path / "work", plain_program)
    (tmp_path / "file").write_text("")
    host.start("file", tmp_path / "work", channel={**fifos, "answers": str(tmp_path / "file")})
    assert "which is no FIFO" in host.end_of("file")["message"]
    host.start("none", tmp_path / "work", channel={**fifos, "questions": str(tmp_path / "none")})
    assert "No such file" in host.end_of("none")["message"]

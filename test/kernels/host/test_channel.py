"""A job talks to the judge over two FIFOs, and the judge sees when it is gone."""

import os
import select
from pathlib import Path
from typing import Any

import pytest

_ECHOES = "import os\nos.write(5, os.read(4, 100).upper())\nos._exit(0)\n"


@pytest.fixture
def fifos(tmp_path: Path) -> dict[str, str]:
    paths = {name: str(tmp_path / name) for name in ("questions", "answers")}
    for path in paths.values():
        os.mkfifo(path)
    return paths


def test_a_job_reads_questions_writes_answers_and_its_end_is_seen(
    host: Any, tmp_path: Path, make_answer: Any, fifos: dict[str, str]
) -> None:
    make_answer(tmp_path / "work", _ECHOES)
    answers = os.open(fifos["answers"], os.O_RDONLY | os.O_NONBLOCK)
    questions = os.open(fifos["questions"], os.O_RDWR)
    host.start("talks", tmp_path / "work", "answer", channel=fifos)
    os.write(questions, b"which token?")
    assert host.end_of("talks")["label"] == "no_result"
    assert os.read(answers, 100) == b"WHICH TOKEN?"
    assert select.select([answers], [], [], 5)[0] == [answers]
    assert os.read(answers, 100) == b""
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

"""The judge's side of a conversation with the answering code."""

from __future__ import annotations

import hashlib
import json
import os
import traceback
from pathlib import Path
from typing import Any

from asi_kernels.judge.wire import Answerer, Asker
from asi_kernels.requests import schema_problem
from asi_kernels.score.answer import answer


class Outage(Exception):
    """What ended the answering code without a result."""


class Conversation:
    """An answering process and the judge's side of its channel. A process, since it forks those of the layers: no
    thread of a test may hold a lock then.
    """

    def __init__(self, request: dict[str, Any]) -> None:
        question_reader, question_writer = os.pipe()
        answer_reader, answer_writer = os.pipe()
        self._result, result_writer = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            for descriptor in (question_writer, answer_reader, self._result):
                os.close(descriptor)
            _answer(request, Answerer(question_reader, answer_writer), result_writer)
        for descriptor in (question_reader, answer_writer, result_writer):
            os.close(descriptor)
        self.asker = Asker(question_writer, answer_reader, answer_seconds=20)

    def end(self) -> dict[str, Any]:
        """The result. Raises Outage."""
        self.asker.end()
        self.asker.close()
        with open(self._result) as file:
            said = json.load(file)
        os.waitpid(self._pid, 0)
        if isinstance(said, str):
            raise Outage(said)
        assert schema_problem("answer-result", said) is None
        return said


def _answer(request: dict[str, Any], answerer: Answerer, result: int) -> None:
    """Never returns."""
    said: Any = None
    try:
        said = answer(request, answerer, lambda line: None)
    except BaseException:  # the edge of the process: a test looks at it
        said = traceback.format_exc()
    finally:
        with open(result, "w") as file:
            json.dump(said, file)
        os._exit(0)


def change_program(request: dict[str, Any], text: str) -> dict[str, Any]:
    """The request for another program in the place of the one that was trained."""
    Path(request["programPath"]).write_text(text)
    return {**request, "programHash": hashlib.sha256(text.encode()).hexdigest()}

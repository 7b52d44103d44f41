"""The judge's side of a conversation with the answering code."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path
from typing import Any

from asi_kernels.judge.wire import Answerer, Asker
from asi_kernels.requests import schema_problem
from asi_kernels.score.answer import answer


class Conversation:
    """An answering thread and the judge's side of its channel. The layers of each task have a process of their own."""

    def __init__(self, request: dict[str, Any]) -> None:
        question_reader, question_writer = os.pipe()
        answer_reader, self._answer_writer = os.pipe()
        self.asker = Asker(question_writer, answer_reader, answer_seconds=20)
        self.outage: Exception | None = None
        self._result: dict[str, Any] = {}
        self._thread = threading.Thread(target=self._answer, args=(request, question_reader))
        self._thread.start()

    def _answer(self, request: dict[str, Any], questions: int) -> None:
        try:
            self._result = answer(request, Answerer(questions, self._answer_writer), lambda line: None)
        except Exception as error:  # the edge of the thread: a test looks at it
            self.outage = error
        os.close(self._answer_writer)

    def end(self) -> dict[str, Any]:
        """The result. Raises what ended the answering code."""
        self.asker.end()
        self._thread.join(20)
        if self.outage is not None:
            raise self.outage
        assert schema_problem("answer-result", self._result) is None
        return self._result


def change_program(request: dict[str, Any], text: str) -> dict[str, Any]:
    """The request for another program in the place of the one that was trained."""
    Path(request["programPath"]).write_text(text)
    return {**request, "programHash": hashlib.sha256(text.encode()).hexdigest()}

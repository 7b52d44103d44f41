"""The protocol between the judge and the process that answers: one question, one answer, strict sizes, no pickle.

Shapes: R rows, L tokens a row, V vocabulary. All numbers are little-endian. A question is a header and R * L tokens of
32 bits; an answer is a header and R * P * V logits of float32, where P is 1 for the last position and L for all.
Covers lost, late, short, long and malformed answers. Whether an answer is true is not a matter of the protocol.
"""

from __future__ import annotations

import fcntl
import os
import select
import struct
import threading
import time
from enum import IntEnum

import numpy as np

_QUESTION = struct.Struct("<4sBBBxII")  # mark, kind, task, snapshot, rows, length
_ANSWER = struct.Struct("<4sIII")  # mark, rows, positions, vocabulary
_QUESTION_MARK, _ANSWER_MARK = b"ASIq", b"ASIa"
_HELLO = _ANSWER.pack(b"ASIh", 0, 0, 0)
_LARGEST_QUESTION_BYTES = 256 << 20
_PIPE_BYTES = 1 << 20
_GLANCE_MS = 200  # how often a wait looks at the clock


class Kind(IntEnum):
    """What is asked: logits of the last position only, of every position, or nothing more."""

    LAST = 1
    ALL = 2
    END = 3


class ChannelError(Exception):
    """The other side is gone, late, or says what does not fit. `label` is one of the closed set of failures."""

    def __init__(self, label: str, detail: str) -> None:
        super().__init__(f"{label}: {detail}")
        self.label = label
        self.detail = detail


class Question:
    """One question as the answering side reads it. tokens: [R, L] int32."""

    def __init__(self, kind: Kind, task: int, snapshot: int, tokens: np.ndarray) -> None:
        self.kind = kind
        self.task = task
        self.snapshot = snapshot
        self.tokens = tokens


class Answerer:
    """The answering side: blocking reads of `questions`, blocking writes to `answers`."""

    def __init__(self, questions: int, answers: int) -> None:
        self._questions = questions
        self._answers = answers
        _widen(answers)

    def say_hello(self) -> None:
        """Tells the judge that the model is loaded."""
        _write_all(self._answers, _HELLO)

    def next_question(self) -> Question:
        """Waits for the next one. Raises ChannelError when the judge is gone or the bytes are no question."""
        header = _read_exactly(self._questions, _QUESTION.size)
        mark, kind, task, snapshot, rows, length = _QUESTION.unpack(header)
        if mark != _QUESTION_MARK or kind not in set(Kind) or 4 * rows * length > _LARGEST_QUESTION_BYTES:
            raise ChannelError("infra", "the judge's question has a header that does not fit")
        content = _read_exactly(self._questions, 4 * rows * length)
        tokens = np.frombuffer(content, dtype="<i4").reshape(rows, length)
        return Question(Kind(kind), task, snapshot, tokens)

    def answer(self, logits: np.ndarray) -> None:
        """Sends logits [R, P, V] float32."""
        _write_all(self._answers, _ANSWER.pack(_ANSWER_MARK, *logits.shape))
        _write_all(self._answers, memoryview(np.ascontiguousarray(logits, dtype="<f4")).cast("B"))


class Asker:
    """The judge's side: never blocks longer than `answer_seconds` on one answer."""

    def __init__(self, questions: int, answers: int, answer_seconds: float) -> None:
        self._questions = questions
        self._answers = answers
        self._answer_seconds = answer_seconds
        self._given_up = threading.Event()
        os.set_blocking(questions, False)
        os.set_blocking(answers, False)
        _widen(questions)

    def await_hello(self) -> None:
        """Waits until the model is loaded; for ever, because the job may stand in a queue: its owner ends the wait."""
        if self._read(_ANSWER.size, None) != _HELLO:
            raise ChannelError("bad_result", "the process began with other bytes than the protocol's")

    def ask(self, kind: Kind, place: tuple[int, int], tokens: np.ndarray, vocabulary: int) -> np.ndarray:
        """Logits [R, P, V] float32 of tokens [R, L] for the model of `place` (task, snapshot). Raises ChannelError.

        P is 1 for Kind.LAST and L for Kind.ALL. Every logit is finite.
        """
        rows, length = tokens.shape
        deadline = time.monotonic() + self._answer_seconds
        header = _QUESTION.pack(_QUESTION_MARK, kind, *place, rows, length)
        self._write(header + np.ascontiguousarray(tokens, dtype="<i4").tobytes(), deadline)
        positions = 1 if kind is Kind.LAST else length
        expected = _ANSWER.pack(_ANSWER_MARK, rows, positions, vocabulary)
        found = self._read(_ANSWER.size, deadline)
        if found != expected:
            raise ChannelError(
                "bad_result",
                f"the answer to a question of {rows} rows is headed {found.hex()}; logits [{rows}, {positions},"
                f" {vocabulary}] of float32 were asked for",
            )
        content = self._read(4 * rows * positions * vocabulary, deadline)
        logits = np.frombuffer(content, dtype="<f4").reshape(rows, positions, vocabulary)
        if not np.isfinite(logits).all():
            raise ChannelError("nonfinite", "the predictions hold a number that is not finite")
        return logits

    def give_up(self) -> None:
        """Ends a wait of another thread on this channel, soon."""
        self._given_up.set()

    def close(self) -> None:
        """Closes both ends of this side."""
        os.close(self._questions)
        os.close(self._answers)

    def end(self) -> None:
        """Tells the other side to end, if it still listens."""
        try:
            self._write(_QUESTION.pack(_QUESTION_MARK, Kind.END, 0, 0, 0, 0), time.monotonic() + 1)
        except (ChannelError, OSError):
            # It is gone already, or will be ended by its owner.
            return

    def _write(self, content: bytes, deadline: float) -> None:
        rest = memoryview(content)
        while rest:
            self._wait(self._questions, select.POLLOUT, deadline)
            try:
                rest = rest[os.write(self._questions, rest) :]
            except BlockingIOError:
                continue

    def _read(self, count: int, deadline: float | None) -> bytearray:
        content = bytearray(count)
        rest = memoryview(content)
        while rest:
            self._wait(self._answers, select.POLLIN, deadline)
            try:
                num_read = os.readv(self._answers, [rest])
            except BlockingIOError:
                continue
            if num_read == 0:
                raise ChannelError("no_result", "the process ended before it had answered every question")
            rest = rest[num_read:]
        return content

    def _wait(self, descriptor: int, event: int, deadline: float | None) -> None:
        poll = select.poll()
        poll.register(descriptor, event)
        while True:
            is_ready = poll.poll(_GLANCE_MS)
            if self._given_up.is_set():
                raise ChannelError("cancelled", "the scoring was given up")
            # Also of a channel that is ready: an answer byte by byte is late as well.
            if deadline is not None and time.monotonic() > deadline:
                raise ChannelError(
                    "timeout_idle", f"a question went unanswered for {self._answer_seconds:g} s, the limit"
                )
            if is_ready:
                return


def _read_exactly(descriptor: int, count: int) -> bytes:
    content = bytearray()
    while len(content) < count:
        piece = os.read(descriptor, count - len(content))
        if not piece:
            raise ChannelError("infra", "the judge is gone")
        content += piece
    return bytes(content)


def _write_all(descriptor: int, content: bytes | memoryview) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _widen(descriptor: int) -> None:
    """Fewer changes between the two processes a megabyte; a kernel or a quota may refuse, and nothing is lost then."""
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    except (OSError, AttributeError):
        return

"""The protocol: what is sent arrives, and whatever else comes back is refused by size, form, value or time."""

import os
import struct
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from asi_kernels.judge.wire import Answerer, Asker, ChannelError, Kind

TOKENS = np.arange(12).reshape(3, 4)


class Pair:
    """An asker, and the other ends of its pipes."""

    def __init__(self, answer_seconds: float = 10) -> None:
        self.questions, question_writer = os.pipe()
        answer_reader, self.answers = os.pipe()
        self.asker = Asker(question_writer, answer_reader, answer_seconds)

    def replying(self, reply: Callable[["Pair"], None]) -> "Pair":
        threading.Thread(target=reply, args=(self,), daemon=True).start()
        return self


def test_questions_and_answers_cross_unchanged_whatever_their_size() -> None:
    asked: list[tuple[Kind, int, int, np.ndarray]] = []

    def reply(pair: Pair) -> None:
        answerer = Answerer(pair.questions, pair.answers)
        answerer.say_hello()
        while (question := answerer.next_question()).kind is not Kind.END:
            asked.append((question.kind, question.task, question.snapshot, question.tokens))
            width = 1 if question.kind is Kind.LAST else question.tokens.shape[1]
            answerer.answer(np.repeat(question.tokens[:, :width, None], 50, axis=2).astype(np.float32))

    pair = Pair().replying(reply)
    pair.asker.await_hello()
    large = np.random.default_rng(0).integers(0, 2**31 - 1, (300, 500))
    whole = pair.asker.ask(Kind.ALL, (2, 7), large, 50)
    assert np.array_equal(whole, np.repeat(large[:, :, None], 50, axis=2).astype(np.float32))
    assert pair.asker.ask(Kind.LAST, (0, 1), TOKENS, 50).shape == (3, 1, 50)
    pair.asker.end()
    assert [question[:3] for question in asked] == [(Kind.ALL, 2, 7), (Kind.LAST, 0, 1)]
    assert np.array_equal(asked[0][3], large)


def header(rows: int, positions: int, vocabulary: int, mark: bytes = b"ASIa") -> bytes:
    return struct.pack("<4sIII", mark, rows, positions, vocabulary)


def numbers(value: float, count: int = 3 * 4 * 5) -> bytes:
    return np.full(count, value, dtype="<f4").tobytes()


FORGERIES = {
    "another mark": (header(3, 4, 5, b"ASIb") + numbers(0), "bad_result", "logits [3, 4, 5]"),
    "fewer rows": (header(2, 4, 5) + numbers(0, 40), "bad_result", "logits [3, 4, 5]"),
    "fewer positions": (header(3, 1, 5) + numbers(0, 15), "bad_result", "logits [3, 4, 5]"),
    "a smaller vocabulary": (header(3, 4, 4) + numbers(0, 48), "bad_result", "logits [3, 4, 5]"),
    "a giant": (header(2**32 - 1, 2**32 - 1, 2**32 - 1), "bad_result", "logits [3, 4, 5]"),
    "text": (b'{"loss": 0.0}   ', "bad_result", "logits [3, 4, 5]"),
    "not a number": (header(3, 4, 5) + numbers(float("nan")), "nonfinite", "not finite"),
    "infinity": (header(3, 4, 5) + numbers(float("inf")), "nonfinite", "not finite"),
    "too short": (header(3, 4, 5) + numbers(0)[:-1], "no_result", "ended before"),
    "nothing": (b"", "no_result", "ended before"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_an_answer_that_does_not_fit_is_refused(forgery: str) -> None:
    content, label, said = FORGERIES[forgery]

    def reply(pair: Pair) -> None:
        os.write(pair.answers, content)
        os.close(pair.answers)

    pair = Pair().replying(reply)
    with pytest.raises(ChannelError) as caught:
        pair.asker.ask(Kind.ALL, (0, 0), TOKENS, 5)
    assert caught.value.label == label
    assert said in caught.value.detail


def test_an_answer_that_does_not_come_is_refused_in_time() -> None:
    pair = Pair(answer_seconds=0.3)
    started = time.monotonic()
    with pytest.raises(ChannelError, match=r"timeout_idle: .* 0\.3 s"):
        pair.asker.ask(Kind.LAST, (0, 0), TOKENS, 5)
    assert time.monotonic() - started < 5


def test_an_answer_that_drips_is_refused_in_time() -> None:
    def reply(pair: Pair) -> None:
        for byte in header(3, 4, 5) + numbers(0):
            os.write(pair.answers, bytes([byte]))
            time.sleep(0.02)

    pair = Pair(answer_seconds=0.3).replying(reply)
    with pytest.raises(ChannelError, match="timeout_idle"):
        pair.asker.ask(Kind.ALL, (0, 0), TOKENS, 5)


def test_a_process_that_never_reads_is_refused_in_time() -> None:
    with pytest.raises(ChannelError, match="timeout_idle"):
        Pair(answer_seconds=0.3).asker.ask(Kind.LAST, (0, 0), np.zeros((600, 1000), np.int64), 5)


def test_a_wait_for_the_model_lasts_until_it_is_given_up() -> None:
    pair = Pair(answer_seconds=0.1)
    timer = threading.Timer(0.6, pair.asker.give_up)
    timer.start()
    with pytest.raises(ChannelError, match="given up"):
        pair.asker.await_hello()


def test_a_greeting_of_other_bytes_is_refused() -> None:
    pair = Pair()
    os.write(pair.answers, header(3, 4, 5))
    with pytest.raises(ChannelError, match="bad_result"):
        pair.asker.await_hello()


def test_the_answering_side_ends_when_the_judge_is_gone() -> None:
    pair = Pair()
    answerer = Answerer(pair.questions, pair.answers)
    pair.asker.close()
    with pytest.raises(ChannelError, match="the judge is gone"):
        answerer.next_question()

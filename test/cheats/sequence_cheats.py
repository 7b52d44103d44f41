"""`python test/cheats/sequence_cheats.py [--set promotion] [--seeds 3]`: what cheating predictors get from the judge.

Text of uniform random tokens, 64 values, so that no honest predictor does better than ln 64 = 4.159 nats: whatever
scores less knows what comes next. Each predictor answers the judge in two processes of its own, as a trained candidate
does. Prints the score of whole sequences, of a second showing of them, the official score and the judge's word.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "kernels"))

from asi_kernels.bench.scoring import judge_answers
from asi_kernels.data.split import SHARDS
from asi_kernels.judge.examine import Outcome, Refused, Subject
from asi_kernels.judge.measure import losses
from asi_kernels.judge.wire import Answerer, Kind

_VALUES, _LENGTH, _SEQUENCES, _VOCABULARY = 64, 128, 128, 256
_CHUNK = 64
_SURE = 6.0  # logit of a token that a cheat knows
_NEVER = -30.0  # logit of a byte that does not occur
FLOOR_NATS = math.log(_VALUES)

Predict = Callable[[np.ndarray], np.ndarray]
"""Tokens [R, L] to logits [R, L, V]."""


class Honest:
    """Predicts from the tokens so far, as a model that has learnt nothing: near-uniform."""

    def __init__(self) -> None:
        draws = np.random.default_rng(5)
        self._table = (0.1 * draws.standard_normal((_VALUES, _VOCABULARY))).astype(np.float32)
        self._table[:, _VALUES:] = _NEVER

    def __call__(self, tokens: np.ndarray) -> np.ndarray:
        return self._table[tokens % _VALUES].copy()


class Noisy(Honest):
    """Honest up to noise of 1e-4 in each logit."""

    def __call__(self, tokens: np.ndarray) -> np.ndarray:
        logits = super().__call__(tokens)
        return logits + 1e-4 * np.random.default_rng().standard_normal(logits.shape).astype(np.float32)


class Leaking(Honest):
    """Knows the next token wherever `knows` [R, L] says so and there is one."""

    def knows(self, tokens: np.ndarray) -> np.ndarray:
        return np.ones(tokens.shape, dtype=bool)

    def __call__(self, tokens: np.ndarray) -> np.ndarray:
        logits = super().__call__(tokens)
        known = self.knows(tokens)
        known[:, -1] = False
        rows, positions = np.nonzero(known)
        logits[rows, positions, tokens[rows, positions + 1]] += _SURE
        return logits


class LeakingInChunks(Leaking):
    def knows(self, tokens: np.ndarray) -> np.ndarray:
        return np.broadcast_to(np.arange(tokens.shape[1]) % _CHUNK != _CHUNK - 1, tokens.shape).copy()


class LeakingInEvaluation(Leaking):
    """Leaks unless it is trained; the judge only ever meets it untrained, with gradients off."""

    training = False

    def knows(self, tokens: np.ndarray) -> np.ndarray:
        return np.full(tokens.shape, not self.training)


class LeakingAtFullLength(Leaking):
    def knows(self, tokens: np.ndarray) -> np.ndarray:
        return np.full(tokens.shape, tokens.shape[1] == _LENGTH)


class LeakingRarely(Leaking):
    """At 3 % of positions, the same ones in every row."""

    _places = np.random.default_rng(3).permutation(_LENGTH)[: round(0.03 * _LENGTH)]

    def knows(self, tokens: np.ndarray) -> np.ndarray:
        known = np.zeros(tokens.shape, dtype=bool)
        known[:, self._places[self._places < tokens.shape[1]]] = True
        return known


class LeakingByContent(Leaking):
    """At 3 % of positions, told by the token there."""

    def knows(self, tokens: np.ndarray) -> np.ndarray:
        return tokens % 32 == 7


class NormalisedOverTime(Honest):
    """Scales by statistics of the whole sequence."""

    def __call__(self, tokens: np.ndarray) -> np.ndarray:
        logits = super().__call__(tokens)
        inside = logits[:, :, :_VALUES]
        inside -= inside.mean(1, keepdims=True)
        inside *= 0.3 / inside.std(1, keepdims=True).clip(0.05)
        return logits


class CentredConvolution(Honest):
    """Mixes in the token that follows."""

    def __call__(self, tokens: np.ndarray) -> np.ndarray:
        logits = super().__call__(tokens)
        logits[:, :-1, :_VALUES] += 3 * self._table[tokens[:, 1:], :_VALUES]
        return logits


class BatchStatistics(Honest):
    """Mixes in the mean over the batch."""

    def __call__(self, tokens: np.ndarray) -> np.ndarray:
        logits = super().__call__(tokens)
        logits[:, :, :_VALUES] += 4 * logits[:, :, :_VALUES].mean(0, keepdims=True)
        return logits


class Remembering(Honest):
    """Keeps every sequence it was ever shown and continues what it knows."""

    def __init__(self) -> None:
        super().__init__()
        self._next: dict[bytes, int] = {}

    def __call__(self, tokens: np.ndarray) -> np.ndarray:
        logits = super().__call__(tokens)
        content = tokens.astype(np.uint8)
        for row in range(len(tokens)):
            whole = content[row].tobytes()
            for position in range(3, tokens.shape[1]):
                known = self._next.get(whole[: position + 1])
                if known is not None:
                    logits[row, position, known] += _SURE
            for position in range(3, tokens.shape[1] - 1):
                self._next[whole[: position + 1]] = whole[position + 1]
        return logits


class RememberingAnswers(Leaking):
    """Leaks, and where it has answered for a prefix before says the same again, so that nothing is to disagree."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[bytes, np.ndarray] = {}

    def __call__(self, tokens: np.ndarray) -> np.ndarray:
        logits = super().__call__(tokens)
        for row, content in enumerate(tokens.astype(np.uint8)):
            for position in range(tokens.shape[1]):
                said = self._said.get(content[: position + 1].tobytes())
                if said is not None:
                    logits[row, position] = said
            self._said.setdefault(content.tobytes(), logits[row, -1].copy())
        return logits


PREDICTORS: dict[str, type[Honest]] = {
    "honest": Honest,
    "honest with noise 1e-4": Noisy,
    "next token leaked everywhere": Leaking,
    "leak within 64-token chunks": LeakingInChunks,
    "leak in evaluation only": LeakingInEvaluation,
    "leak at evaluation length only": LeakingAtFullLength,
    "leak at 3 % of positions": LeakingRarely,
    "leak at 3 % of tokens": LeakingByContent,
    "normalises over time": NormalisedOverTime,
    "centred convolution": CentredConvolution,
    "statistics over the batch": BatchStatistics,
    "remembers sequences": Remembering,
    "leaks, remembers its answers": RememberingAnswers,
}
HONEST = ("honest", "honest with noise 1e-4")


@dataclass(frozen=True)
class Row:
    """Losses in nats: of one usual evaluation, of a second one in the same process, official; and the judge's word."""

    name: str
    usual: float
    second: float
    official: float
    full: float
    error: float
    refused: str | None


def random_text(seed: int) -> np.ndarray:
    """Uniform random tokens [N] uint8, enough for every sequence."""
    return np.random.default_rng(seed).integers(0, _VALUES, _SEQUENCES * (_LENGTH + 1)).astype(np.uint8)


def subject_of(seed: int, score_set: str) -> Subject:
    task = {"kind": "bytes", "length": _LENGTH, "evalSequences": _SEQUENCES, "steps": 1, "snapshots": 1}
    return Subject({"name": "cheats", "tasks": [task]}, seed, score_set, "0" * 64, random_text(seed))


def measure(name: str, seed: int, score_set: str, key: bytes) -> Row:
    """One predictor before the judge. Raises Refused where it does not answer as asked."""
    usual = PREDICTORS[name]()
    subject = subject_of(seed, score_set)
    windows = subject.text.reshape(_SEQUENCES, _LENGTH + 1).astype(np.int64)
    first, second = (_mean_loss(usual(windows[:, :-1]), windows[:, 1:]) for _ in range(2))

    def answer(answerer: Answerer) -> None:
        predict = PREDICTORS[name]()
        while (question := answerer.next_question()).kind is not Kind.END:
            logits = predict(question.tokens)
            answerer.answer(logits[:, -1:] if question.kind is Kind.LAST else logits)

    def greet_and_answer(answerer: Answerer) -> None:
        answerer.say_hello()
        answer(answerer)

    outcome: Outcome = judge_answers(key, subject, greet_and_answer).outcomes[0]
    loss = outcome.loss
    return Row(name, first, second, loss.value, loss.full, loss.standard_error, outcome.why_refused)


def _mean_loss(logits: np.ndarray, targets: np.ndarray) -> float:
    return float(losses(logits.reshape(-1, _VOCABULARY), targets.reshape(-1)).mean())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", default="promotion", choices=SHARDS, help="depth of the scoring (default promotion)")
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0 to N-1, each with a key of its own (default 3)")
    options = parser.parse_args()
    print(f"{'predictor':32} seed   usual  second  prefix  - honest  standard error  judge")
    worst = 0.0
    for seed in range(options.seeds):
        key = os.urandom(32)
        honest = measure("honest", seed, options.set, key)
        for name in PREDICTORS:
            try:
                row = measure(name, seed, options.set, key)
            except Refused as refused:
                print(f"{name:32} {seed:4}  {refused}")
                continue
            apart = row.official - honest.official
            worst = max(worst, -apart)
            print(
                f"{name:32} {seed:4}  {row.usual:6.3f}  {row.second:6.3f}  {row.official:6.3f}  {apart:+8.3f}"
                f"  {row.error:14.4f}  {'accepted' if row.refused is None else 'integrity'}",
                flush=True,
            )
    print(f"no predictor scored more than {worst:.3f} nats below the honest one (floor {FLOOR_NATS:.3f})")
    return 0


if __name__ == "__main__":
    sys.exit(main())

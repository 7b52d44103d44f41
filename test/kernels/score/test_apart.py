"""A program that changes what it finds in its process changes no bit of what is answered."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from conversation import Conversation, change_program

from asi_kernels.judge.wire import ChannelError, Kind
from asi_kernels.train import run as train

TOKENS = np.arange(60).reshape(5, 12) % 16

# Its layers compute by what no patch below is about.
_PROGRAM = """
import torch
from torch import nn

PRODUCT = torch.matmul


class Mixer(nn.Module):
    def __init__(self, hidden_size, num_heads, layer_index=0, num_layers=1):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(hidden_size, hidden_size) / 4)

    def forward(self, x, state=None):
        return PRODUCT(x, self.weight), state
"""

# What a program may do, as it is imported, to the code that asks, computes and answers.
PATCHES = {
    "who answers the judge": """
say = wire.Answerer.answer
wire.Answerer.answer = lambda self, logits: say(self, logits + 1)
""",
    "who reads the questions": """
def next_question(self, ask=wire.Answerer.next_question):
    question = ask(self)
    question.tokens = question.tokens * 0
    return question
wire.Answerer.next_question = next_question
""",
    "the models of the command": """
predict = answer._Models.predict
answer._Models.predict = lambda self, question: predict(self, question) + 1
answer._Models.fixed_logits = lambda self: None
""",
    "the snapshots": """
read = answer.SnapshotFile.read
answer.SnapshotFile.read = lambda self, *which: {name: value * 2 for name, value in read(self, *which).items()}
""",
    "the language model": """
LanguageModel.forward = lambda self, tokens: torch.zeros(*tokens.shape, self.vocabulary)
""",
    "its blocks": "language_model.Block.forward = lambda self, x, state=None: (x, state)",
    "its norms": "language_model.rms_norm = lambda x, weight, epsilon: x",
    "linear maps": "torch.nn.Linear.forward = lambda self, x: x.new_zeros(*x.shape[:-1], self.out_features)",
    "the head": "torch.nn.functional.linear = lambda x, weight: x.new_ones(*x.shape[:-1], len(weight))",
    "methods of tensors": "torch.Tensor.float = lambda self: self.to(torch.float32) * 2",
    "numbers on their way out": "torch.Tensor.numpy = lambda self, out=torch.Tensor.numpy: out(self) + 1",
}
_HEAD = """
import torch
from asi_kernels.judge import wire
from asi_kernels.models import language_model
from asi_kernels.models.language_model import LanguageModel
from asi_kernels.score import answer
"""


def answers(request: dict[str, Any]) -> tuple[list[np.ndarray], Any]:
    """The logits of a question of each task, and the facts of the final weights."""
    talk = Conversation(request)
    talk.asker.await_hello()
    logits = [talk.asker.ask(Kind.ALL, (task, 1), TOKENS, (256, 16)[task]) for task in (0, 1)]
    return logits, talk.end()["fixedLogits"]


@pytest.fixture
def trial(tmp_path: Path, make_trial: Any, answer_request: Any) -> dict[str, Any]:
    request = make_trial(tmp_path, _PROGRAM, steps=2)
    return answer_request(request, train.run(request, tmp_path, lambda line: None)["checkpointPath"])


@pytest.mark.parametrize("patch", PATCHES)
def test_a_patch_of_what_a_program_finds_in_its_process_changes_no_bit(trial: dict[str, Any], patch: str) -> None:
    logits, facts = answers(trial)
    patched, patched_facts = answers(change_program(trial, f"{_HEAD}\n{PATCHES[patch]}\n{_PROGRAM}"))
    assert all(np.array_equal(one, other) for one, other in zip(logits, patched, strict=True))
    assert facts is not None
    assert patched_facts == facts


def test_the_layer_process_finds_no_question_and_no_model(trial: dict[str, Any]) -> None:
    looks = """
import gc
from asi_kernels.judge.wire import Question
from asi_kernels.score.answer import _Models
"""
    found = "[type(o).__name__ for o in gc.get_objects() if isinstance(o, (Question, _Models))]"
    text = looks + _PROGRAM.replace("return PRODUCT", f"raise ValueError(f'found {{{found}}}')\n        return PRODUCT")
    talk = Conversation(change_program(trial, text))
    talk.asker.await_hello()
    with pytest.raises(ChannelError, match="no_result"):
        talk.asker.ask(Kind.ALL, (0, 1), TOKENS, 256)
    result = talk.end()
    assert (result["label"], "ValueError: found []" in result["detail"]) == ("exit", True), result["detail"]

"""The fixedLogits that the product's answering process gives for a checkpoint. Argument: an answerRequest as JSON."""

from __future__ import annotations

import json
import os
import sys

from asi_kernels.judge.wire import Answerer, Asker
from asi_kernels.score.answer import answer


def main() -> None:
    questions, ask = os.pipe()
    answers, say = os.pipe()
    # The judge asks nothing: the end is all that there is to read.
    Asker(ask, answers, 5).end()
    result = answer(json.loads(sys.argv[1]), Answerer(questions, say), lambda line: None)
    print(json.dumps(result["fixedLogits"]))


if __name__ == "__main__":
    main()

"""The tools process: program texts without torch, embeddings as unit vectors, and an answer to every line."""

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asi_kernels.generate.baselines import baseline_genome
from asi_kernels.generate.emit import emit_program
from asi_kernels.requests import schema_problem
from asi_kernels.tools.serve import answer

PACKAGE = Path(__file__).parents[3] / "kernels"


def asked(request: Any) -> dict[str, Any]:
    reply = answer(request if isinstance(request, str) else json.dumps(request))
    assert schema_problem("tools-reply", reply) is None
    return reply


def emit_request(**changes: Any) -> dict[str, Any]:
    return {"op": "emit", "id": "t1", "genome": baseline_genome("gla"), "name": "gla", "motivation": "why"} | changes


def test_a_genome_becomes_the_program_of_the_generator() -> None:
    assert asked(emit_request()) == {
        "op": "emit",
        "id": "t1",
        "program": emit_program(baseline_genome("gla"), "gla", "why"),
    }


def test_an_illegal_genome_is_answered_with_what_is_wrong() -> None:
    genome = baseline_genome("gla")
    genome["write"]["steps"] = 2  # sub-steps belong to the householder write alone
    reply = asked(emit_request(genome=genome))
    assert (reply["op"], reply["id"]) == ("error", "t1")
    assert "write.steps" in reply["message"]


@pytest.mark.parametrize(
    ("line", "request_id", "said"),
    [
        ("no json", None, "not JSON"),
        ("[]", None, "op"),
        ({"op": "emit", "id": "t2"}, "t2", "genome is missing"),
        ({"op": "dance", "id": "t3"}, "t3", 'op is "dance"'),
        ({"op": "embed", "id": "t4", "texts": [1]}, "t4", "texts[0] is 1"),
    ],
)
def test_a_line_that_cannot_be_used_is_answered(line: Any, request_id: str | None, said: str) -> None:
    reply = asked(line)
    assert (reply["op"], reply["id"]) == ("error", request_id)
    assert said in reply["message"]


def test_the_process_answers_each_line_without_torch_until_stdin_ends() -> None:
    program = (
        "import sys\nfrom asi_kernels.tools.serve import serve\nserve()\n"
        "sys.exit('torch was loaded' if 'torch' in sys.modules else 0)"
    )
    lines = [json.dumps(emit_request()), "", "{", json.dumps(emit_request(id="t9"))]
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=PACKAGE, input="\n".join(lines) + "\n", capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    assert [json.loads(line)["id"] for line in ended.stdout.splitlines()] == ["t1", None, "t9"]


def test_embeddings_are_unit_vectors_that_put_like_near_like() -> None:
    texts = ["a data-dependent decay forgets old keys", "old keys are forgotten by a learned decay", "the cat sat", ""]
    reply = asked({"op": "embed", "id": "e1", "texts": texts})
    assert (reply["id"], reply["dimensions"]) == ("e1", 384)
    vectors = np.stack([np.frombuffer(base64.b64decode(text), dtype="<f4") for text in reply["vectors"]])
    assert vectors.shape == (4, 384)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    assert vectors[0] @ vectors[1] > 0.5 > vectors[0] @ vectors[2]
    again = asked({"op": "embed", "id": "e2", "texts": texts[:1]})["vectors"]
    assert np.allclose(np.frombuffer(base64.b64decode(again[0]), dtype="<f4"), vectors[0], atol=1e-5)
    assert asked({"op": "embed", "id": "e3", "texts": []})["vectors"] == []

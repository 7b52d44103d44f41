"""`python -m asi_kernels tools`: one JSON request a line on stdin, one reply a line on stdout, until stdin ends.

Requests and replies are `tools-request` and `tools-reply` of the schemas. A line that cannot be used is answered with
op `error`; the process goes on. Whatever libraries print goes to stderr, so that stdout holds replies only.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from typing import Any

from asi_kernels.requests import parse_json, schema_problem


def serve() -> int:
    """Answers until stdin ends; returns the exit status."""
    sys.stdout.flush()
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        if line.strip():
            print(json.dumps(answer(line), allow_nan=False), file=replies, flush=True)
    return 0


def answer(line: str) -> dict[str, Any]:
    """The reply to one line; never raises for what the line holds."""
    try:
        request = parse_json(line)
    except ValueError as error:
        return _problem(None, f"the line is not JSON: {error}")
    request_id = request.get("id") if isinstance(request, dict) and isinstance(request.get("id"), str) else None
    problem = schema_problem("tools-request", request)
    if problem is not None:
        return _problem(request_id, problem)
    if request["op"] == "emit":
        return _emit(request)
    return _embed(request)


def _emit(request: dict[str, Any]) -> dict[str, Any]:
    from asi_kernels.generate.emit import emit_program
    from asi_kernels.generate.legal import violations

    broken = violations(request["genome"])
    if broken:
        return _problem(request["id"], f"the genome is not legal: {'; '.join(broken)}")
    program = emit_program(request["genome"], request["name"], request["motivation"])
    return {"op": "emit", "id": request["id"], "program": program}


def _embed(request: dict[str, Any]) -> dict[str, Any]:
    from asi_kernels.tools.embedding import DIMENSIONS, embed

    vectors = [base64.b64encode(vector).decode("ascii") for vector in embed(request["texts"])]
    return {"op": "embed", "id": request["id"], "vectors": vectors, "dimensions": DIMENSIONS}


def _problem(request_id: str | None, message: str) -> dict[str, Any]:
    return {"op": "error", "id": request_id, "message": message}

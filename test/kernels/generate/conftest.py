"""Programs emitted and loaded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from asi_kernels.generate.emit import emit_program


@pytest.fixture(scope="session")
def load_program() -> Callable[[dict[str, Any]], dict[str, Any]]:
    """From a genome to the names that its program defines."""

    def load(genome: dict[str, Any]) -> dict[str, Any]:
        names: dict[str, Any] = {}
        exec(compile(emit_program(genome, "drawn", "A test of the text."), "<program>", "exec"), names)
        return names

    return load

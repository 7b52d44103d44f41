"""What a model's size is counted to be, whatever types its numbers have."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from asi_kernels.gates.sizes import (
    PARAMETER_TOLERANCE,
    STATE_TOLERANCE,
    TaskSize,
    measure_sizes,
    parameters_outcome,
)
from asi_kernels.generate.baselines import baseline_genome
from asi_kernels.generate.emit import emit_program
from asi_kernels.programs import load_mixer_class
from asi_kernels.snapshot_layout import own_numbers

_SCHEMAS = Path(__file__).parents[3] / "kernels" / "asi_kernels" / "schemas"
_RUNG: dict[str, Any] = json.loads((_SCHEMAS / "rungs.json").read_text())["quick"] | {"heads": 4}

_COMPLEX_PROGRAM = """
import torch
from torch import nn


class Mixer(nn.Module):
    def __init__(self, hidden_size, num_heads, layer_index=0, num_layers=1):
        super().__init__()
        self.matrix = nn.Parameter(DRAWN)
        self.decay = nn.Parameter(torch.zeros(hidden_size))

    def forward(self, x, state=None):
        z = x.to(torch.cfloat) @ MATRIX
        return (z.real * torch.sigmoid(self.decay)).to(x.dtype), None
"""
# One mixer twice: its matrix is complex, or real and looked at as complex.
_FORMS = {
    "complex": ("torch.randn(hidden_size, hidden_size, dtype=torch.cfloat)", "self.matrix"),
    "real": ("torch.randn(hidden_size, hidden_size, 2)", "torch.view_as_complex(self.matrix)"),
}


def _sizes(folder: Path, program: str, name: str = "program") -> list[TaskSize]:
    paths = {"reference": emit_program(baseline_genome("deltanet"), "deltanet", "reference"), name: program}
    for stem, text in paths.items():
        (folder / f"{stem}.py").write_text(text)
    mixer, reference = (load_mixer_class(folder / f"{stem}.py") for stem in (name, "reference"))
    return measure_sizes(mixer, reference, _RUNG, 0)


@pytest.fixture(scope="module")
def forms(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[TaskSize]]:
    folder = tmp_path_factory.mktemp("forms")
    return {
        name: _sizes(folder, _COMPLEX_PROGRAM.replace("DRAWN", drawn).replace("MATRIX", matrix), name)
        for name, (drawn, matrix) in _FORMS.items()
    }


def test_a_complex_parameter_costs_as_much_width_as_the_real_one_that_holds_the_same_numbers(
    forms: dict[str, list[TaskSize]],
) -> None:
    for size, real in zip(forms["complex"], forms["real"], strict=True):
        assert (size.mixer_parameters, size.parameters) == (real.mixer_parameters, real.parameters)
        assert size.width is not None
        assert size.width == real.width
        assert size.layout is not None and real.layout is not None
        assert size.layout["numbers"] == real.layout["numbers"]
        assert size.layout["hash"] != real.layout["hash"]


def test_a_complex_product_costs_as_much_arithmetic_however_its_matrix_is_held(
    forms: dict[str, list[TaskSize]],
) -> None:
    hidden = _RUNG["hidden"]
    for size, real in zip(forms["complex"], forms["real"], strict=True):
        assert size.work is not None and real.work is not None
        assert size.work.total == real.work.total
        assert size.mixer_parameters % (2 * hidden * hidden + hidden) == 0


# A mean over the past with a table in a buffer, a matrix by two names, or neither.
_STATE_PROGRAM = """
import torch
from torch import nn


class Mixer(nn.Module):
    def __init__(self, hidden_size, num_heads, layer_index=0, num_layers=1):
        super().__init__()
        self.inner, self.outer = (nn.Linear(hidden_size, hidden_size, bias=False) for _ in range(2))
        EXTRA

    def forward(self, x, state=None):
        return self.outer(torch.tanh(self.inner(x))), None
"""
_TABLE = 'self.register_buffer("table", torch.ones(4096, hidden_size)LASTING)'


def _outcome(folder: Path, extra: str) -> tuple[str, str, float | None, float | None]:
    outcome = parameters_outcome(_sizes(folder, _STATE_PROGRAM.replace("EXTRA", extra)))
    return outcome.verdict, outcome.evidence, outcome.measured, outcome.limit


def test_a_large_table_that_lasts_is_refused_with_its_name_its_size_and_the_remedy(tmp_path: Path) -> None:
    verdict, evidence, measured, limit = _outcome(tmp_path, _TABLE.replace("LASTING", ""))
    assert verdict == "fail"
    assert "the buffer blocks.0.mixer.table [4096, 64] of 262,144" in evidence
    assert "persistent=False" in evidence
    assert limit == 0.1
    assert measured is not None and measured > 1.0


def test_the_same_table_passes_as_one_that_is_made_again(tmp_path: Path) -> None:
    assert _outcome(tmp_path, _TABLE.replace("LASTING", ", persistent=False"))[0] == "pass"


def test_a_small_buffer_that_lasts_passes(tmp_path: Path) -> None:
    assert _outcome(tmp_path, 'self.register_buffer("scale", torch.ones(hidden_size))')[0] == "pass"


def test_a_parameter_of_several_names_counts_once(tmp_path: Path) -> None:
    names = "self.again, self.once_more = self.inner, self.inner"
    verdict, evidence, *_ = _outcome(tmp_path, names)
    assert verdict == "pass", evidence
    plain = _sizes(tmp_path, _STATE_PROGRAM.replace("EXTRA", "pass"), "plain")
    for size, once in zip(_sizes(tmp_path, _STATE_PROGRAM.replace("EXTRA", names), "tied"), plain, strict=True):
        assert size.layout is not None and once.layout is not None
        assert (size.parameters, size.width) == (once.parameters, once.width)
        assert own_numbers(size.layout) == own_numbers(once.layout) == once.layout["numbers"] < size.layout["numbers"]
        assert size.layout["tied"]["names"]["blocks.0.mixer.again.weight"] == "blocks.0.mixer.inner.weight"
        assert "tied" not in once.layout


def test_a_buffer_beside_a_tied_parameter_is_still_counted_and_named(tmp_path: Path) -> None:
    extra = "self.again = self.inner; self.again.register_buffer('table', torch.ones(4096, hidden_size))"
    verdict, evidence, *_ = _outcome(tmp_path, extra)
    assert verdict == "fail"
    assert "the buffer blocks.0.mixer.inner.table [4096, 64] of 262,144" in evidence


def test_the_gate_and_the_worker_allow_a_state_of_one_size() -> None:
    rule = (_SCHEMAS.parents[2] / "workflows" / "rules" / "model-size.ts").read_text()
    found = dict(re.findall(r"^const (\w+Tolerance) = ([\d.]+);$", rule, re.MULTILINE))
    assert {name: float(value) for name, value in found.items()} == {
        "parameterTolerance": PARAMETER_TOLERANCE,
        "stateTolerance": STATE_TOLERANCE,
    }

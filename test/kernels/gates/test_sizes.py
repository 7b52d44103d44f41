"""What a model's size is counted to be, whatever types its numbers have."""

import json
from pathlib import Path
from typing import Any

import pytest

from asi_kernels.gates.sizes import TaskSize, measure_sizes
from asi_kernels.generate.baselines import baseline_genome
from asi_kernels.generate.emit import emit_program
from asi_kernels.programs import load_mixer_class

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

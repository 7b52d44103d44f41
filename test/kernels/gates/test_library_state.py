import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from asi_kernels.gates.check import run
from asi_kernels.gates.library_state import LibraryState

_RUNGS = Path(__file__).parents[3] / "kernels/asi_kernels/schemas/rungs.json"
_PATCHES = """
import torch
from torch import nn


class Holder:
    def patch(kind):
        kind.extra_repr = lambda self: ""


class Mixer(nn.Module):
    def __init__(self, hidden_size, num_heads, layer_index=0, num_layers=1):
        super().__init__()
        self.map = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x, state=None):
        Holder.patch(nn.Bilinear)
        return self.map(x), None
"""


def test_nothing_has_changed_where_nothing_was_set() -> None:
    state = LibraryState()
    nn.Linear(2, 2)(torch.ones(1, 2)).sum().backward()
    nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
    torch.vmap(torch.sin)(torch.ones(2))
    assert state.changes() == []


@pytest.mark.parametrize(
    ("holder", "name", "told"),
    [
        (nn.Linear, "forward", "torch.nn.modules.linear.Linear.forward"),
        (nn.Linear, "__call__", "torch.nn.modules.linear.Linear.__call__"),
        (torch.Tensor, "abs", "torch.Tensor.abs"),
        (F, "silu", "torch.nn.functional.silu"),
        (torch, "equal", "torch.equal"),
    ],
)
def test_a_method_or_function_that_was_set_is_named(
    monkeypatch: pytest.MonkeyPatch, holder: Any, name: str, told: str
) -> None:
    state = LibraryState()
    with monkeypatch.context() as patched:
        patched.setattr(holder, name, lambda *arguments: None)
        assert state.changes() == [told]


def test_a_program_that_sets_a_method_of_pytorch_fails_the_contract(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Past the review: the class is the first argument of a function that looks like a method."""
    program = tmp_path / "patches.py"
    program.write_text(_PATCHES)
    monkeypatch.setattr(nn.Bilinear, "extra_repr", nn.Bilinear.extra_repr)  # put back after the test
    result = run(
        {
            "programPath": str(program),
            "referencePath": str(program),
            "rung": {**json.loads(_RUNGS.read_text())["quick"], "heads": 4},
            "seed": 0,
            "cuts": 8,
            "flopsLimit": 20.0,
        },
        tmp_path,
    )
    assert (result["status"], result["label"], result["sizes"]) == ("fail", "rejected_static", None)
    assert "changes torch.nn.modules.linear.Bilinear.extra_repr for everyone" in result["detail"]
    assert result["gates"][0]["verdict"] == "fail"

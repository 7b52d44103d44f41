"""Closing is for good, so that each test is a process of its own, or a job of a host."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

_DOORS = {
    "a text of operators": "torch.CompilationUnit().create_function('f', torch.parse_ir(GRAPH))",
    "a text by the inner names": "torch._C.CompilationUnit().create_function('f', torch._C.parse_ir(GRAPH))",
    "torch's own unit of compilation": "torch.jit._state._python_cu.define('def f(n: int):\\n    return n\\n')",
    "a text of functions": "torch.jit.CompilationUnit('def f(n: int):\\n    return n\\n')",
    "a graph built by calls": "torch.Graph().create('aten::from_file')",
    "a graph of something compiled before": "COMPILED.graph.create('aten::from_file')",
    "a function out of a graph": "torch._C._create_function_from_graph('f', COMPILED.graph)",
    "interpreting a graph": "torch._C._jit_interpret_graph(COMPILED.graph, (torch.ones(1),))",
    "compiling a function": "torch.jit.script(twice)",
    "tracing a function": "torch.jit.trace(twice, torch.ones(1))",
    "loading a module": "torch.jit.load('module.pt')",
    "loading a small module": "torch._C._load_for_lite_interpreter('module.pt', None)",
}
# Opened before as far as asking for a file that nobody has.
_FILE_NEEDED = ("loading a small module",)
_START = """
import warnings
warnings.simplefilter("ignore")
import torch
from torch import nn
from torch.nn import functional as F
GRAPH = "graph(%n : int):\\n  return (%n)\\n"
def twice(x):
    return x * 2
def thrice(x):
    return x * 3
SCRIPT = "def compiled(x):\\n    return x * 2\\n"
COMPILED = torch.jit.CompilationUnit(SCRIPT).compiled
torch.jit.save(torch.jit.script(nn.Identity()), "module.pt")
from asi_kernels.host.torchscript import TorchScriptClosed, close_torchscript
"""
_HONEST = """
close_torchscript()

class Scan(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.cumsum(1)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad):
        return grad.flip(1).cumsum(1).flip(1)

class Everything(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(8, 16)
        self.weighted = nn.utils.parametrizations.weight_norm(nn.Linear(16, 16))
        self.turned = nn.utils.parametrizations.orthogonal(nn.Linear(16, 16))
        self.bounded = nn.utils.parametrizations.spectral_norm(nn.Linear(16, 16))
        self.attention = nn.MultiheadAttention(16, 2, batch_first=True)
        self.recurrent = nn.GRU(16, 16, batch_first=True)
        self.conv = nn.Conv1d(16, 16, 3, groups=16, padding=2)
        self.norm = nn.Sequential(nn.LayerNorm(16), nn.Dropout(0.1), nn.GroupNorm(1, 8))

    def forward(self, tokens):
        x = self.bounded(self.turned(self.weighted(self.embedding(tokens))))
        x = x + self.attention(x, x, x)[0] + self.recurrent(x)[0] + self.norm(x)
        x = x + self.conv(x.mT)[..., :8].mT + F.adaptive_max_pool1d(x, 16)
        x = x + torch.fft.irfft(torch.fft.rfft(x, dim=1) * torch.polar(torch.ones(5), torch.ones(5))[:, None], dim=1)
        x = x + torch.complex(x, x).abs() + torch.einsum("btd,bsd->bts", x, x) @ x
        x = x + F.scaled_dot_product_attention(x, x, x, is_causal=True) + torch.vmap(lambda row: row * 2)(x)
        x = x + torch.linalg.solve(torch.eye(8) * 2, x) + torch.special.expit(x)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            x = x + (x @ x.mT).float() @ x
        return Scan.apply(x)

model = Everything()
y = model(torch.arange(8)[None].expand(2, 8))
grads = torch.autograd.grad(y.square().mean(), list(model.parameters()), create_graph=False)
assert all(grad.isfinite().all() for grad in grads)
import copy
copy.deepcopy(model).load_state_dict(model.state_dict())
assert COMPILED(torch.ones(1)).item() == 2.0
from torch.utils.flop_counter import FlopCounterMode
with FlopCounterMode(display=False) as counter:
    model(torch.zeros(1, 8, dtype=torch.long)).sum().backward()
assert counter.get_total_flops() > 0
print("all of it works")
"""


def _run(tmp_path: Path, text: str) -> str:
    (tmp_path / "closes.py").write_text(_START + text)
    command = [sys.executable, "closes.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_every_door_of_torchscript_opens_before_and_none_after(tmp_path: Path) -> None:
    said = _run(
        tmp_path,
        f"DOORS = {_DOORS!r}\n"
        """
def opens(door):
    try:
        eval(door)
    except TorchScriptClosed:
        return "closed"
    except Exception as error:
        return repr(error)
    return "open"

for name, door in DOORS.items():
    print(f"before: {name}: {opens(door)}")
close_torchscript()
for name, door in DOORS.items():
    print(f"after: {name}: {opens(door.replace('twice', 'thrice'))}")  # one of them is kept compiled
""",
    )
    for name in _DOORS:
        assert f"after: {name}: closed" in said, said
        assert name in _FILE_NEEDED or f"before: {name}: open" in said, said


def test_what_mixers_are_made_of_works_without_it(tmp_path: Path) -> None:
    assert "all of it works" in _run(tmp_path, _HONEST)


_PROGRAM = """
import torch
RUNS = torch.CompilationUnit().create_function("runs", torch.parse_ir("graph(%n : int):\\n  return (%n)\\n"))
"""
_SAID = "TorchScript is closed to mixers"


@pytest.mark.parametrize("command", ["train", "answer"])
def test_a_job_runs_no_program_that_needs_it(
    host: Any, tmp_path: Path, make_trial: Any, make_answer: Any, plain_program: str, command: str
) -> None:
    make = {"train": make_trial, "answer": make_answer}[command]
    make(tmp_path, _PROGRAM + plain_program)
    assert host.run(command, tmp_path, command)["label"] is None
    result = json.loads((tmp_path / "result.json").read_text())
    assert (result["status"], result["label"]) == ("failed", "import_error")
    assert _SAID in result["detail"]


def test_the_check_runs_no_program_that_needs_it(
    host: Any, tmp_path: Path, make_check: Any, plain_program: str
) -> None:
    """Of the candidate the review would have refused the text; the reference is not reviewed."""
    make_check(tmp_path, _PROGRAM + plain_program)
    end = host.run("check", tmp_path, "check")
    assert end["label"] is not None
    assert _SAID in end["detail"] + end["logTail"]

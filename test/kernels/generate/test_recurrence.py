"""The recurrence inside emitted programs, with its written-out gradients, against the token loop in float64."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from asi_kernels.generate.baselines import baseline_genome
from asi_kernels.ops.f1 import F1Inputs, naive

DECAYS = ("none", "scalar-const", "scalar-data", "vector-const", "vector-data")
WRITES = (
    ("additive", 1, "after-decay"),
    ("delta", 1, "after-decay"),
    ("delta", 1, "before-decay"),
    ("decoupled-erase", 1, "after-decay"),
    ("householder", 2, "after-decay"),
    ("householder", 3, "after-decay"),
)
CASES = [(d, *write) for d, write in product(DECAYS, WRITES) if d != "none" or write[2] == "after-decay"]
LENGTHS = (1, 5, 16, 33, 70)


def genome_of(decay: str, kind: str, steps: int, erase_time: str) -> dict:
    genome = baseline_genome("deltanet")
    genome["decay"] = {"kind": decay, "param": "softplus"}
    beta = "one" if kind == "additive" else "sigmoid"
    genome["write"] = {"kind": kind, "beta": beta, "steps": steps, "eraseTime": erase_time}
    return genome


def draw(case: tuple, length: int, seed: int = 0) -> dict[str, Tensor]:
    """Arguments of the program's recurrence: [B, H, T, .], several writes a token side by side in time."""
    decay, kind, steps, _ = case
    torch.manual_seed(seed)
    B, H, K, V = 2, 3, 6, 5
    k = F.normalize(torch.randn(B, H, steps * length, K, dtype=torch.float64), dim=-1)
    strength = torch.rand(B, H, steps * length, K if kind == "decoupled-erase" else 1, dtype=torch.float64)
    tensors = {"q": torch.randn(B, H, length, K, dtype=torch.float64), "k": k}
    if kind != "additive":
        tensors["e"] = strength * k
    tensors["x"] = torch.randn(B, H, steps * length, V, dtype=torch.float64)
    if decay != "none":
        shape = (B if decay.endswith("data") else 1, H, length, *([K] if decay.startswith("vector") else []))
        # Some decays sit on the floor, -5, the strongest that a program makes.
        tensors["g"] = torch.where(torch.rand(shape) < 0.2, -5.0, -torch.rand(shape)).double()
    tensors["memory"] = torch.randn(B, H, K, V, dtype=torch.float64)
    return tensors


def loop(tensors: dict[str, Tensor], steps: int, erase_time: str) -> tuple[Tensor, Tensor]:
    """The same by the token loop: each write a token of its own, the first of a group decays, the last is read."""
    batch, length = tensors["memory"].shape[0], tensors["q"].shape[2]
    zero = torch.zeros_like
    log_alpha = None
    if "g" in tensors:
        g = tensors["g"].expand(batch, *tensors["g"].shape[1:]).transpose(1, 2)
        log_alpha = torch.stack((g, *[zero(g)] * (steps - 1)), 2).flatten(1, 2)
    q = tensors["q"].transpose(1, 2)
    q = torch.stack((*[zero(q)] * (steps - 1), q), 2).flatten(1, 2)
    k, x = tensors["k"].transpose(1, 2), tensors["x"].transpose(1, 2)
    e = tensors["e"].transpose(1, 2) if "e" in tensors else None
    o, last = naive.recurrence(F1Inputs(q, k, x, e, log_alpha, tensors["memory"], erase_time))
    return o.transpose(1, 2)[:, :, steps - 1 :: steps][:, :, :length], last


def gradients(run, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    leaves = {name: t.clone().requires_grad_() for name, t in tensors.items()}
    o, last = run(leaves)
    torch.manual_seed(1)
    loss = (o * torch.randn(o.shape).to(o)).sum() + (last * torch.randn(last.shape).to(last)).sum()
    return dict(zip(leaves, torch.autograd.grad(loss, list(leaves.values()), allow_unused=True), strict=True))


def relative_error(value: Tensor, reference: Tensor) -> float:
    return float((value - reference).norm() / reference.norm().clamp_min(1e-30))


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case)))
def test_an_emitted_recurrence_and_its_gradients_equal_the_token_loop(case: tuple, load_program) -> None:
    recurrence = load_program(genome_of(*case))["recurrence"]
    for length in LENGTHS:
        tensors = draw(case, length, seed=length)
        expected_outputs = loop(tensors, case[2], case[3])
        for value, reference in zip(recurrence(*tensors.values()), expected_outputs, strict=True):
            assert relative_error(value, reference) < 1e-12
        expected = gradients(lambda leaves: loop(leaves, case[2], case[3]), tensors)
        found = gradients(lambda leaves: recurrence(*leaves.values()), tensors)
        for name, gradient in found.items():
            if case[0] == "scalar-const" and name == "g":
                assert gradient is None, "a fixed decay has no gradient"
            else:
                assert relative_error(gradient, expected[name]) < 1e-11, (name, length)


@pytest.mark.parametrize("case", [case for case in CASES if case[2] < 3], ids=lambda case: "-".join(map(str, case)))
def test_float32_stays_close_to_the_token_loop_with_decays_on_the_floor(case: tuple, load_program) -> None:
    recurrence = load_program(genome_of(*case))["recurrence"]
    tensors = draw(case, 70)
    single = {name: t.float() for name, t in tensors.items()}
    for value, reference in zip(recurrence(*single.values()), loop(tensors, case[2], case[3]), strict=True):
        assert relative_error(value.double(), reference) < 1e-5
    expected = gradients(lambda leaves: loop(leaves, case[2], case[3]), tensors)
    for name, gradient in gradients(lambda leaves: recurrence(*leaves.values()), single).items():
        if gradient is not None:
            assert relative_error(gradient.double(), expected[name]) < 1e-4, name


@pytest.mark.parametrize("kind", ["additive", "delta"])
def test_a_decay_on_the_floor_at_every_token_stays_finite_for_large_inputs(kind: str, load_program) -> None:
    case = ("vector-data", kind, 1, "after-decay")
    recurrence = load_program(genome_of(*case))["recurrence"]
    tensors = {name: t.float() for name, t in draw(case, 70).items()}
    tensors["g"] = torch.full_like(tensors["g"], -5.0)
    for name in ("q", "x", "k") if kind == "additive" else ("q", "x"):
        tensors[name] = tensors[name] * 1e4
    o, last = recurrence(*tensors.values())
    assert torch.isfinite(o).all() and torch.isfinite(last).all()
    assert all(
        torch.isfinite(g).all() for g in gradients(lambda leaves: recurrence(*leaves.values()), tensors).values()
    )

"""The chunkwise F1 recurrence against the token loop in float64: outputs, last state and every gradient."""

from __future__ import annotations

import dataclasses
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from asi_kernels.ops.f1 import F1Inputs, chunk, naive

NAMES = ("q", "k", "x", "e", "log_alpha", "initial_state")
DECAYS = ("none", "scalar", "vector")
ERASES = ("none", "tied", "free")
GATES = {
    "open": lambda shape: -torch.rand(shape) * 1e-3,
    "moderate": lambda shape: -torch.rand(shape),
    "closed": lambda shape: torch.full(shape, -5.0),
    "mixed": lambda shape: torch.where(torch.rand(shape) < 0.5, 0.0, -5.0),
    "shut": lambda shape: torch.where(torch.rand(shape) < 0.2, -800.0, -0.01),
}


@dataclasses.dataclass(frozen=True)
class Case:
    decay: str
    erase: str
    gate: str = "moderate"
    erase_time: str = "after-decay"
    sizes: tuple[int, int, int, int, int] = (2, 37, 3, 6, 5)
    seed: int = 0


def make(case: Case, dtype: torch.dtype = torch.float64) -> F1Inputs:
    torch.manual_seed(case.seed)
    B, T, H, K, V = case.sizes
    q, k, x = torch.randn(B, T, H, K), F.normalize(torch.randn(B, T, H, K), dim=-1), torch.randn(B, T, H, V)
    beta = 2 * torch.rand(B, T, H, 1) if case.erase_time == "after-decay" else torch.rand(B, T, H, 1)
    e = {"none": None, "tied": beta * k, "free": torch.rand(B, T, H, K) * k}[case.erase]
    shape = {"none": None, "scalar": (B, T, H), "vector": (B, T, H, K)}[case.decay]
    log_alpha = None if shape is None else GATES[case.gate](shape)
    return F1Inputs(q, k, x, e, log_alpha, torch.randn(B, H, K, V), case.erase_time).to(dtype)


def tracked(inputs: F1Inputs) -> F1Inputs:
    given_tensors = {name: getattr(inputs, name) for name in NAMES}
    leaves = {name: None if t is None else t.clone().requires_grad_() for name, t in given_tensors.items()}
    return F1Inputs(**leaves, erase_time=inputs.erase_time)


def gradients(run, inputs: F1Inputs) -> dict[str, Tensor]:
    """Gradients of a random projection of outputs and last state with respect to every input."""
    inputs = tracked(inputs)
    o, last = run(inputs)
    torch.manual_seed(1)
    loss = (o * torch.randn(o.shape).to(o)).sum() + (last * torch.randn(last.shape).to(last)).sum()
    names = [name for name in NAMES if getattr(inputs, name) is not None]
    return dict(zip(names, torch.autograd.grad(loss, [getattr(inputs, name) for name in names]), strict=True))


def relative_error(value: Tensor, reference: Tensor) -> float:
    return float((value.double() - reference.double()).norm() / reference.double().norm().clamp_min(1e-30))


def cut(inputs: F1Inputs, start: int, stop: int, state: Tensor | None) -> F1Inputs:
    parts = {
        name: None if getattr(inputs, name) is None else getattr(inputs, name)[:, start:stop] for name in NAMES[:5]
    }
    return F1Inputs(**parts, initial_state=state, erase_time=inputs.erase_time)


ALL_CASES = [
    Case(decay, erase, gate, erase_time)
    for decay, erase, gate, erase_time in product(DECAYS, ERASES, GATES, ("after-decay", "before-decay"))
    if (decay != "none" or gate == "moderate") and (erase != "none" or erase_time == "after-decay")
]


@pytest.mark.parametrize("case", ALL_CASES, ids=lambda c: f"{c.decay}-{c.erase}-{c.gate}-{c.erase_time}")
def test_the_chunk_form_equals_the_token_loop_in_outputs_state_and_every_gradient(case: Case) -> None:
    inputs = make(case)
    for value, reference in zip(chunk.recurrence(inputs, 16), naive.recurrence(inputs), strict=True):
        assert relative_error(value, reference) < 1e-12
    expected = gradients(naive.recurrence, inputs)
    for name, gradient in gradients(lambda given_inputs: chunk.recurrence(given_inputs, 16), inputs).items():
        assert relative_error(gradient, expected[name]) < 1e-10, name


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    sizes=st.tuples(st.integers(1, 3), st.integers(1, 45), st.integers(1, 3), st.integers(1, 9), st.integers(1, 9)),
    chunk_tokens=st.integers(1, 50),
    switches=st.tuples(st.sampled_from(DECAYS), st.sampled_from(ERASES), st.sampled_from(sorted(GATES))),
    erase_time=st.sampled_from(["after-decay", "before-decay"]),
    seed=st.integers(0, 10_000),
)
def test_any_shape_and_chunk_size_gives_the_token_loop(sizes, chunk_tokens, switches, erase_time, seed) -> None:
    inputs = make(Case(*switches, erase_time, sizes, seed))
    expected = gradients(naive.recurrence, inputs)
    found = gradients(lambda given_inputs: chunk.recurrence(given_inputs, chunk_tokens), inputs)
    for value, reference in zip(chunk.recurrence(inputs, chunk_tokens), naive.recurrence(inputs), strict=True):
        assert torch.allclose(value, reference, rtol=1e-9, atol=1e-11)
    for name in expected:
        assert torch.allclose(found[name], expected[name], rtol=1e-8, atol=1e-9), name


@pytest.mark.parametrize(("decay", "erase"), list(product(DECAYS, ERASES)))
def test_outputs_do_not_depend_on_later_tokens_in_a_single_bit(decay: str, erase: str) -> None:
    inputs = make(Case(decay, erase, "mixed", sizes=(2, 70, 2, 8, 8)), torch.float32)
    whole, _ = chunk.recurrence(inputs, 32)
    for stop in (1, 7, 8, 9, 31, 32, 33, 64, 69):
        other = make(Case(decay, erase, "moderate", sizes=(2, 70, 2, 8, 8), seed=stop), torch.float32)
        changed = {
            name: torch.cat((getattr(inputs, name)[:, :stop], getattr(other, name)[:, stop:]), 1)
            for name in NAMES[:5]
            if getattr(inputs, name) is not None
        }
        found, _ = chunk.recurrence(F1Inputs(**changed, initial_state=inputs.initial_state), 32)
        assert torch.equal(found[:, :stop], whole[:, :stop])


@pytest.mark.parametrize(("decay", "erase"), list(product(DECAYS, ERASES)))
def test_a_sequence_cut_anywhere_with_its_state_carried_equals_the_whole(decay: str, erase: str) -> None:
    inputs = make(Case(decay, erase))
    whole, last = chunk.recurrence(inputs, 16)
    state, parts, start = inputs.initial_state, [], 0
    for stop in (1, 2, 19, 35, 37):
        o, state = chunk.recurrence(cut(inputs, start, stop, state), 16)
        parts.append(o)
        start = stop
    assert relative_error(torch.cat(parts, 1), whole) < 1e-13
    assert relative_error(state, last) < 1e-13


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("decay", ["scalar", "vector"])
def test_float32_stays_close_to_the_float64_loop_at_every_gate(decay: str, gate: str) -> None:
    inputs = make(Case(decay, "tied", gate, sizes=(2, 64, 2, 16, 16)), torch.float32)
    expected = gradients(naive.recurrence, inputs.to(torch.float64))
    found = gradients(lambda given_inputs: chunk.recurrence(given_inputs, 32), inputs)
    assert relative_error(chunk.recurrence(inputs, 32)[0], naive.recurrence(inputs.to(torch.float64))[0]) < 1e-5
    for name in expected:
        assert relative_error(found[name], expected[name]) < 1e-4, name


def test_repeated_keys_with_full_strength_keep_float32_accuracy() -> None:
    inputs = make(Case("none", "tied", sizes=(1, 64, 1, 16, 16)))
    key = inputs.k[:, :1].expand_as(inputs.k)
    inputs = dataclasses.replace(inputs, k=key, e=2.0 * key, x=2.0 * inputs.x)
    expected, _ = naive.recurrence(inputs)
    found, _ = chunk.recurrence(inputs.to(torch.float32), 64)
    assert relative_error(found, expected) < 1e-4


def test_a_shut_gate_forgets_everything_before_it() -> None:
    inputs = make(Case("scalar", "tied", "open"))
    log_alpha = inputs.log_alpha.clone()
    log_alpha[:, 20] = -1000.0
    o, _ = chunk.recurrence(dataclasses.replace(inputs, log_alpha=log_alpha), 16)
    fresh, _ = chunk.recurrence(cut(dataclasses.replace(inputs, log_alpha=log_alpha), 20, 37, None), 16)
    assert torch.allclose(o[:, 20:], fresh, rtol=1e-9, atol=1e-12)


def test_orthonormal_keys_recall_exactly_what_was_written_last() -> None:
    K = 8
    k = torch.eye(K, dtype=torch.float64)[None, :, None].repeat(1, 3, 1, 1)  # every key three times
    x = torch.randn(1, 3 * K, 1, 4, dtype=torch.float64)
    _, last = chunk.recurrence(F1Inputs(q=k, k=k, x=x, e=k), 5)
    assert torch.allclose(last[0, 0], x[0, -K:, 0], atol=1e-14)


def test_a_write_strength_of_zero_only_decays() -> None:
    inputs = make(Case("vector", "tied"))
    silent = dataclasses.replace(inputs, e=torch.zeros_like(inputs.e), x=torch.zeros_like(inputs.x))
    _, last = chunk.recurrence(silent, 16)
    assert relative_error(last, inputs.initial_state * inputs.log_alpha.sum(1).exp().unsqueeze(-1)) < 1e-13


def test_outputs_are_linear_in_the_values() -> None:
    inputs = dataclasses.replace(make(Case("scalar", "free")), initial_state=None)
    once, _ = chunk.recurrence(inputs, 16)
    twice, _ = chunk.recurrence(dataclasses.replace(inputs, x=2.0 * inputs.x), 16)
    assert torch.equal(twice, 2.0 * once)


def test_strided_inputs_give_what_contiguous_ones_give() -> None:
    inputs = make(Case("vector", "free"))
    strided = {name: getattr(inputs, name).mT.contiguous().mT for name in NAMES}
    o, _ = chunk.recurrence(F1Inputs(**strided), 16)
    assert relative_error(o, chunk.recurrence(inputs, 16)[0]) < 1e-14


def test_an_empty_sequence_returns_the_state_that_it_was_given() -> None:
    inputs = make(Case("vector", "tied"))
    for run in (naive.recurrence, chunk.recurrence):
        o, last = run(cut(inputs, 0, 0, inputs.initial_state))
        assert o.shape == (2, 0, 3, 5)
        assert torch.equal(last, inputs.initial_state)


@pytest.mark.parametrize("name", ["k", "x", "e", "log_alpha", "initial_state"])
def test_a_wrong_shape_is_refused_by_name_with_the_right_one(name: str) -> None:
    inputs = make(Case("vector", "tied"))
    with pytest.raises(ValueError, match=rf"{name} has shape \[.*\]; it must be \["):
        dataclasses.replace(inputs, **{name: getattr(inputs, name)[:, :-1]})


def test_a_chunk_of_no_tokens_is_refused() -> None:
    with pytest.raises(ValueError, match="chunk_tokens is 0; it must be at least 1"):
        chunk.recurrence(make(Case("none", "none")), 0)

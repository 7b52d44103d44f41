"""The written-out backward passes are those of the plain formulas."""

import pytest
import torch
from torch.nn import functional as F

from asi_kernels.models.fused import rms_norm, swiglu


def drawn(*shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn(*shape, generator=generator, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("shape", [(3, 5, 8), (1, 1, 4), (2, 6)])
def test_rms_norm_and_its_gradients_are_torchs(shape: tuple[int, ...]) -> None:
    x, weight = drawn(*shape), drawn(shape[-1])
    ours, theirs = rms_norm(x, weight, 1e-6), F.rms_norm(x, shape[-1:], weight, 1e-6)
    assert torch.allclose(ours, theirs, atol=1e-12)
    grad = torch.randn_like(ours)
    for mine, other in zip(
        torch.autograd.grad(ours, (x, weight), grad), torch.autograd.grad(theirs, (x, weight), grad), strict=True
    ):
        assert torch.allclose(mine, other, atol=1e-12)


def test_a_row_of_zeros_stays_finite_in_both_directions() -> None:
    x = torch.zeros(2, 4, requires_grad=True)
    y = rms_norm(x, torch.ones(4), 1e-6)
    y.sum().backward()
    assert torch.equal(y, torch.zeros(2, 4))
    assert torch.isfinite(x.grad).all()


def test_swiglu_and_its_gradient_are_those_of_the_formula() -> None:
    gate_up = drawn(2, 3, 10)
    gate, up = gate_up.chunk(2, -1)
    assert torch.allclose(swiglu(gate_up), F.silu(gate) * up, atol=1e-12)
    assert torch.autograd.gradcheck(swiglu, gate_up)

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from asi_kernels.gates.work_counter import count_work


def test_matrix_products_count_two_a_multiply_add() -> None:
    linear = nn.Linear(8, 16)
    work = count_work(lambda: linear(torch.ones(3, 5, 8)))
    assert work.multiply_adds == 2 * 3 * 5 * 8 * 16
    batched = count_work(lambda: torch.ones(4, 5, 6) @ torch.ones(4, 6, 7))
    assert batched.multiply_adds == 2 * 4 * 5 * 6 * 7


def test_a_depthwise_convolution_counts_its_taps_once_a_channel() -> None:
    conv = nn.Conv1d(8, 8, 5, groups=8)
    work = count_work(lambda: conv(torch.ones(2, 8, 20)))
    assert work.multiply_adds == 2 * 2 * 8 * 16 * 5


def test_attention_in_one_operator_counts_as_its_two_products() -> None:
    q = torch.randn(2, 4, 10, 16)
    work = count_work(lambda: F.scaled_dot_product_attention(q, q, q, is_causal=True))
    assert work.multiply_adds == 2 * (2 * 2 * 4 * 10 * 10 * 16)


def test_a_triangular_solve_counts_half_a_square_a_column() -> None:
    a, b = torch.eye(6).expand(3, 6, 6), torch.ones(3, 6, 4)
    assert count_work(lambda: torch.linalg.solve_triangular(a, b, upper=False)).multiply_adds == 3 * 4 * 6 * 6


def test_element_wise_work_counts_what_is_written_and_reductions_what_is_read() -> None:
    x = torch.ones(10, 20)
    assert count_work(lambda: torch.tanh(x) + x).elementwise == 2 * 200
    assert count_work(lambda: x.sum(1)).elementwise == 200
    assert count_work(lambda: x.cumsum(0)).elementwise == 200
    assert count_work(lambda: x[:, :1] * x).elementwise == 200


def test_views_and_copies_are_free() -> None:
    x = torch.ones(10, 20)
    work = count_work(lambda: torch.cat([x.view(2, 5, 20).transpose(1, 2).contiguous().flatten(), x.flatten()]).clone())
    assert work.total == 0


def test_transforms_are_noted() -> None:
    x = torch.ones(2, 16)
    assert count_work(lambda: torch.fft.rfft(x)).transforms
    assert not count_work(lambda: x @ x.T).transforms


@pytest.mark.parametrize(
    ("compute", "coarsest"),
    [
        (lambda x: x * 2, None),
        (lambda x: x.float().sum().double(), torch.float32),
        (lambda x: (x.float() + x.bfloat16()).double(), torch.bfloat16),
    ],
)
def test_the_coarsest_type_inside_a_computation_is_noted(compute, coarsest) -> None:
    assert count_work(lambda: compute(torch.ones(4, dtype=torch.float64))).coarsest == coarsest

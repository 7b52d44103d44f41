from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from asi_kernels.gates.work_counter import all_uncounted, count_work, uncounted_words
from asi_kernels.programs import PROGRAM_FILE_PREFIX


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


def test_a_complex_multiply_add_counts_as_four_real_ones() -> None:
    a, b = (
        torch.ones(3, 5, 8, dtype=torch.cfloat),
        torch.ones(8, 16, dtype=torch.cfloat),
    )
    assert count_work(lambda: a @ b).multiply_adds == 4 * 2 * 3 * 5 * 8 * 16
    assert count_work(lambda: torch.einsum("bij,bkj->bik", a, a)).multiply_adds == 4 * 2 * 3 * 5 * 5 * 8
    matrix, columns = (
        torch.eye(6, dtype=torch.cfloat),
        torch.ones(6, 4, dtype=torch.cfloat),
    )
    solved = count_work(lambda: torch.linalg.solve_triangular(matrix, columns, upper=False))
    assert solved.multiply_adds == 4 * 4 * 6 * 6
    assert count_work(lambda: torch.linalg.inv(matrix)).multiply_adds == 4 * 2 * 6 * 6 * 6


def test_a_complex_convolution_counts_as_the_three_real_ones_that_it_is_made_of() -> None:
    x, taps = (
        torch.ones(2, 8, 20, dtype=torch.cfloat),
        torch.ones(8, 1, 5, dtype=torch.cfloat),
    )
    work = count_work(lambda: F.conv1d(x, taps, groups=8))
    assert work.multiply_adds == 3 * 2 * 2 * 8 * 16 * 5
    assert work.elementwise > 0


def test_complex_elements_count_four_where_they_are_multiplied_and_two_elsewhere() -> None:
    z = torch.ones(10, 20, dtype=torch.cfloat)
    for product in (
        lambda: z * z,
        lambda: z.clone().mul_(z),
        lambda: z / z,
        lambda: z.cumprod(0),
    ):
        assert count_work(product).elementwise == 4 * 200
    for other in (lambda: z + z, lambda: z.exp(), lambda: z.sum(), lambda: z.abs()):
        assert count_work(other).elementwise == 2 * 200
    turned = count_work(lambda: torch.view_as_complex(torch.view_as_real(z.mT.conj().resolve_conj()).contiguous()))
    assert turned.total == 0


def test_the_figure_of_a_transform_is_one_of_complex_numbers_already() -> None:
    x = torch.ones(2, 16)
    assert count_work(lambda: torch.fft.fft(x.to(torch.cfloat))).elementwise == 5 * 32 * 4


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


_X, _W = torch.randn(1, 32, 16), torch.randn(16, 16)
_MANY = _W.expand(32, 16, 16) + 9 * torch.eye(16)
_NORM = nn.BatchNorm1d(16).eval()
_ATTENTION = nn.MultiheadAttention(16, 2, batch_first=True).eval()
_LSTM = nn.LSTM(16, 16, batch_first=True)


@pytest.mark.parametrize(
    ("run", "true"),
    [
        (lambda: torch.mv(_X[0], _W[0]), 2 * 32 * 16),
        (lambda: torch.addbmm(torch.zeros(32, 16), _X, _W[None]), 2 * 32 * 16 * 16),
        (lambda: F.bilinear(_X, _X, torch.ones(16, 16, 16)), 2 * 32 * 16**3),
        (lambda: torch.cdist(_X, _X, p=1.0), 2 * 32 * 32 * 16),
        (lambda: torch.cdist(_X, _X), 2 * 32 * 32 * 16),
        (lambda: torch.pdist(_X[0]), 32 * 32 * 16),
        (lambda: F.max_pool1d(F.pad(_X.mT, (31, 0)), 32, 1), 32 * 32 * 16),
        (lambda: F.local_response_norm(_X, 32), 32 * 32 * 16),
        (
            lambda: F.embedding_bag(torch.arange(32 * 8) % 32, _X[0], torch.arange(0, 256, 8), mode="sum"),
            2 * 256 * 16,
        ),
        (lambda: _LSTM(_X), 2 * 32 * 8 * 16 * 16),
        (lambda: torch.linalg.svd(_X, full_matrices=False), 10 * 32 * 16**2),
        (lambda: torch.linalg.eigh(_W @ _W.T), 9 * 16**3),
        (lambda: torch.linalg.matrix_exp(_MANY), 32 * 10 * 16**3),
        (lambda: torch.linalg.qr(_MANY), 32 * 3 * 16**3),
        (lambda: torch.linalg.lstsq(_MANY, _X[0][..., None]), 32 * 3 * 16**3),
        (lambda: torch.linalg.solve(_MANY, _X[0]), 32 * 2 / 3 * 16**3),
        (lambda: torch.linalg.lu(_MANY), 32 * 2 / 3 * 16**3),
        (
            lambda: torch.linalg.cross(_X[..., :3], _X[..., 3:6]),
            32 * 3 * 3,
        ),
        (lambda: F.interpolate(_X, size=64, mode="nearest"), 2 * 64),
        (lambda: F.interpolate(_X, size=64, mode="nearest-exact"), 2 * 64),
        (lambda: F.interpolate(_X, size=64, mode="linear"), 32 * 64 * 4),
        (
            lambda: F.interpolate(_X[None], size=(64, 32), mode="bilinear"),
            64 * 32 * 8,
        ),
        (
            lambda: F.interpolate(_X[None], size=(64, 32), mode="bicubic"),
            64 * 32 * 32,
        ),
        (
            lambda: F.grid_sample(_X[None], torch.zeros(1, 8, 8, 2), align_corners=False),
            8 * 8 * 8,
        ),
        (lambda: F.adaptive_max_pool1d(_X, 4), 32 * 16),
        (lambda: F.pad(_X[None], (1, 1, 1, 1), mode="replicate"), 34 * 18),
        (lambda: F.hardswish(_X), 32 * 16),
        (lambda: _W.clone().addmm_(_W, _W), 2 * 16**3),
        (lambda: _X.clone().abs_(), 32 * 16),
        (lambda: _NORM(_X.mT), 32 * 16),
        (lambda: _ATTENTION(_X, _X, _X), 2 * 16 * (4 * 32 * 16 + 2 * 32 * 32)),
    ],
)
def test_an_operator_that_does_more_than_its_elements_counts_what_it_does(
    run: Callable[[], object], true: float
) -> None:
    work = count_work(run)
    assert not work.uncounted
    assert 0.7 < work.total / true < 2.6


def test_a_triangular_solve_from_the_right_counts_its_matrix_too() -> None:
    a, b = torch.eye(6).expand(3, 6, 6), torch.ones(3, 1, 6)
    assert count_work(lambda: torch.linalg.solve_triangular(a, b, upper=False, left=False)).multiply_adds == 3 * 6 * 6


def test_the_gradient_of_an_operator_without_a_count_has_none_either() -> None:
    def learn(forward: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[], object]:
        def run() -> object:
            with torch.enable_grad():
                x = _X.clone().requires_grad_()
                return torch.autograd.grad(forward(x).sum(), x)

        return run

    assert "_pdist_backward" in count_work(learn(lambda x: torch.pdist(x[0], p=1.0))).uncounted
    ordinary = learn(lambda x: F.layer_norm(F.silu(x).softmax(-1)[:, 3:], (16,)).amax(1))
    assert not count_work(ordinary).uncounted


def test_an_operator_without_a_count_is_named() -> None:
    smooth = count_work(lambda: F.interpolate(_X[None], size=(64, 16), mode="bilinear", antialias=True))
    assert list(smooth.uncounted) == ["_upsample_bilinear2d_aa"]
    ordinary = count_work(lambda: F.softmax(F.silu(_X).cumsum(1), -1).topk(4).values.transpose_(0, 1).tril_())
    assert not ordinary.uncounted


def test_an_operator_without_a_count_is_told_with_the_line_of_the_program() -> None:
    text = (
        "import torch\n\n\ndef pick(x):\n    return torch.isin(x, x[0])\n\n\ndef run(x):\n    return pick(x), pick(x)\n"
    )
    program: dict[str, Callable[[torch.Tensor], object]] = {}
    exec(compile(text, f"{PROGRAM_FILE_PREFIX}picks.py", "exec"), program)
    work = count_work(lambda: program["run"](_X))
    assert work.uncounted == {"isin": 5}
    words = uncounted_words(all_uncounted([work, count_work(lambda: torch.tanh(_X))]))
    assert "an operator whose work nobody counts (isin at line 5)" in words
    by_us = count_work(lambda: torch.isin(_X, _X[0]))
    assert "(isin)" in uncounted_words(by_us.uncounted)

"""What operators cost that neither `torch.utils.flop_counter` nor their number of elements tells, and which operators
cost no more than their elements.

Two a multiply-add; n rows, or the longer side m by the shorter n of a matrix; figures of dense factorisations from G.
Golub and C. Van Loan, "Matrix Computations" (4th edition, 2013), the leading terms. What stands nowhere here has no
count: a gate that claims one must say so.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch

_Formula = Callable[[tuple[Any, ...], list[torch.Tensor]], float]
"""Real multiply-adds, two each, from the arguments and what was written; complex numbers count elsewhere."""


def _batch(matrix: torch.Tensor) -> int:
    return math.prod(matrix.shape[:-2])


def _sides(matrix: torch.Tensor) -> tuple[int, int]:
    """Longer and shorter side of the last two axes."""
    rows, columns = matrix.shape[-2:]
    return max(rows, columns), min(rows, columns)


def _factorised(matrix: torch.Tensor, of_square: float) -> float:
    return _batch(matrix) * of_square * matrix.shape[-1] ** 3


def _solved(matrix: torch.Tensor, solution: torch.Tensor) -> float:
    """Two triangular solves of n^2 multiply-adds a column together."""
    return 2.0 * matrix.shape[-1] * solution.numel()


def _bilinear(args: tuple[Any, ...], written: list[torch.Tensor]) -> float:
    """`_trilinear`: the sum over some axes of the product of three tensors that are expanded to one shape."""
    del written
    expanded = []
    for tensor, axes in zip(args[:3], args[3:6], strict=True):
        grown = tensor
        for axis in sorted(axes):
            grown = grown.unsqueeze(axis)
        expanded.append(grown.shape)
    return 3.0 * math.prod(torch.broadcast_shapes(*expanded))


def _pooled(args: tuple[Any, ...], written: list[torch.Tensor]) -> float:
    return float(written[0].numel() * math.prod(args[1]))


def _recurrent(args: tuple[Any, ...], written: list[torch.Tensor]) -> float:
    """The fused layer of a CPU: both weight matrices once a position."""
    del written
    positions = args[0].shape[0] * args[0].shape[1]
    return 2.0 * positions * (args[1].numel() + args[2].numel())


def _decomposed(args: tuple[Any, ...], written: list[torch.Tensor]) -> float:
    """Singular values with both sides, by a QR first."""
    del written
    m, n = _sides(args[0])
    return float(_batch(args[0]) * (6 * m * n**2 + 20 * n**3))


def _orthogonalised(args: tuple[Any, ...], written: list[torch.Tensor]) -> float:
    """R, and Q written out."""
    del written
    m, n = _sides(args[0])
    return _batch(args[0]) * (4 * m * n**2 - 4 / 3 * n**3)


def _least_squares(args: tuple[Any, ...], written: list[torch.Tensor]) -> float:
    m, n = _sides(args[0])
    return _batch(args[0]) * 4.0 * m * n**2 + 4.0 * m * written[0].numel()


def _interpolated(points: int) -> _Formula:
    """Each element that is written mixes so many read ones."""
    return lambda _, written: 2.0 * points * written[0].numel()


def _sampled(points_by_mode: tuple[int, int, int]) -> _Formula:
    """`grid_sampler`: bilinear, nearest, bicubic."""
    return lambda args, written: 2.0 * points_by_mode[args[2]] * written[0].numel()


def _grouped(args: tuple[Any, ...], written: list[torch.Tensor]) -> float:
    """`_grouped_mm`: each row meets the matrix of its group; two matrices cut along their common side meet by parts."""
    left, right = args[:2]
    if left.dim() == right.dim() == 2:
        return 2.0 * left.shape[0] * left.shape[1] * right.shape[1]
    return 2.0 * written[0].numel() * left.shape[-1]


def _attended(args: tuple[Any, ...], written: list[torch.Tensor]) -> float:
    """The fast path of `nn.MultiheadAttention` in evaluation: four projections, the scores and what they weigh."""
    del written
    query, key, width = args[0], args[1], args[3]
    rows, scores = query.shape[0] * query.shape[1], query.shape[0] * query.shape[1] * key.shape[1]
    return 2.0 * width * (4 * rows * width + 2 * scores)


FORMULAS: dict[str, _Formula] = {
    "mv": lambda args, _: 2.0 * args[0].numel(),
    "addmv": lambda args, _: 2.0 * args[1].numel(),
    "dot": lambda args, _: 2.0 * args[0].numel(),
    "vdot": lambda args, _: 2.0 * args[0].numel(),
    "addr": lambda _, written: 2.0 * written[0].numel(),
    "addbmm": lambda args, _: 2.0 * args[1].numel() * args[2].shape[-1],
    "_trilinear": _bilinear,
    # A difference, its size and the sum.
    "_cdist_forward": lambda args, written: 3.0 * written[0].numel() * args[0].shape[-1],
    "_euclidean_dist": lambda args, written: 3.0 * written[0].numel() * args[0].shape[-1],
    "_pdist_forward": lambda args, written: 3.0 * written[0].numel() * args[0].shape[-1],
    "max_pool2d_with_indices": _pooled,
    "max_pool3d_with_indices": _pooled,
    "avg_pool1d": _pooled,
    "avg_pool2d": _pooled,
    "avg_pool3d": _pooled,
    "_adaptive_avg_pool2d": lambda args, _: float(args[0].numel()),
    "_adaptive_avg_pool3d": lambda args, _: float(args[0].numel()),
    "adaptive_max_pool2d": lambda args, _: float(args[0].numel()),
    "adaptive_max_pool3d": lambda args, _: float(args[0].numel()),
    # What a mixer that learns as it reads asks for: a gradient goes to each element of its window, or to the largest.
    "avg_pool2d_backward": lambda args, _: float(args[0].numel() * math.prod(args[2])),
    "avg_pool3d_backward": lambda args, _: float(args[0].numel() * math.prod(args[2])),
    "_adaptive_avg_pool2d_backward": lambda args, _: float(args[1].numel()),
    "_adaptive_avg_pool3d_backward": lambda args, _: float(args[1].numel()),
    "max_pool2d_with_indices_backward": lambda args, _: float(args[1].numel()),
    "max_pool3d_with_indices_backward": lambda args, _: float(args[1].numel()),
    "adaptive_max_pool2d_backward": lambda args, _: float(args[1].numel()),
    "_cdist_backward": lambda args, _: 3.0 * args[0].numel() * args[1].shape[-1],
    "upsample_linear1d": _interpolated(2),
    "upsample_bilinear2d": _interpolated(4),
    "upsample_trilinear3d": _interpolated(8),
    "upsample_bicubic2d": _interpolated(16),
    "grid_sampler_2d": _sampled((4, 1, 16)),
    "grid_sampler_3d": _sampled((8, 1, 64)),
    # Two products and their difference.
    "linalg_cross": lambda _, written: 3.0 * written[0].numel(),
    "_int_mm": lambda args, _: 2.0 * args[0].numel() * args[1].shape[-1],
    "_grouped_mm": _grouped,
    "_native_multi_head_attention": _attended,
    "_embedding_bag": lambda args, _: 2.0 * args[1].numel() * args[0].shape[-1],
    "_embedding_bag_forward_only": lambda args, _: 2.0 * args[1].numel() * args[0].shape[-1],
    "mkldnn_rnn_layer": _recurrent,
    # The matrix may stand on either side of what is solved for.
    "linalg_solve_triangular": lambda args, written: float(written[0].numel() * args[0].shape[-1]),
    "triangular_solve": lambda args, written: float(written[0].numel() * args[1].shape[-1]),
    "linalg_inv_ex": lambda args, _: _factorised(args[0], 2.0),
    "linalg_lu": lambda args, _: _factorised(args[0], 2 / 3),
    "linalg_lu_factor_ex": lambda args, _: _factorised(args[0], 2 / 3),
    "linalg_ldl_factor_ex": lambda args, _: _factorised(args[0], 1 / 3),
    "linalg_cholesky_ex": lambda args, _: _factorised(args[0], 1 / 3),
    "cholesky": lambda args, _: _factorised(args[0], 1 / 3),
    "cholesky_inverse": lambda args, _: _factorised(args[0], 2 / 3),
    "_linalg_det": lambda args, _: _factorised(args[0], 2 / 3),
    "_linalg_slogdet": lambda args, _: _factorised(args[0], 2 / 3),
    "_linalg_solve_ex": lambda args, written: _factorised(args[0], 2 / 3) + _solved(args[0], written[0]),
    "linalg_lu_solve": lambda args, written: _solved(args[0], written[0]),
    "linalg_ldl_solve": lambda args, written: _solved(args[0], written[0]),
    "cholesky_solve": lambda args, written: _solved(args[1], written[0]),
    "_linalg_eigh": lambda args, _: _factorised(args[0], 9.0),
    "linalg_eig": lambda args, _: _factorised(args[0], 25.0),
    "_linalg_eigvals": lambda args, _: _factorised(args[0], 10.0),
    "_linalg_svd": _decomposed,
    "linalg_qr": _orthogonalised,
    "geqrf": _orthogonalised,
    "linalg_householder_product": _orthogonalised,
    "linalg_lstsq": _least_squares,
    # Degree 18 by five products (P. Bader, S. Blanes and F. Casas, Mathematics 7, 2019), and as many squarings.
    "linalg_matrix_exp": lambda args, _: _factorised(args[0], 20.0),
}
"""By the name of the operator."""

_PER_ELEMENT = frozenset(
    {
        "_batch_norm_no_update",
        "_batch_norm_with_update",
        "_batch_norm_with_update_functional",
        "_cummax_helper",
        "_cummin_helper",
        "_fused_rms_norm",
        "_local_scalar_dense",
        "_log_softmax",
        "_native_batch_norm_legit",
        "_native_batch_norm_legit_no_training",
        "_prelu_kernel",
        "_safe_softmax",
        "_softmax",
        "_standard_gamma",
        "_unique",
        "_unique2",
        "_unsafe_index_put",
        "_unsafe_masked_index_put_accumulate",
        "_upsample_nearest_exact1d",
        "_upsample_nearest_exact2d",
        "_upsample_nearest_exact3d",
        "_weight_norm_interface",
        "all",
        "amax",
        "amin",
        "aminmax",
        "any",
        "argmax",
        "argmin",
        "argsort",
        "batch_norm",
        "bernoulli",
        "binary_cross_entropy",
        "binary_cross_entropy_with_logits",
        "bincount",
        "bucketize",
        "cauchy",
        "col2im",
        "complex",
        "count_nonzero",
        "cummax",
        "cummin",
        "cumprod",
        "cumsum",
        "dist",
        "exponential",
        "floor_divide",
        "geometric",
        "glu",
        "hardswish",
        "histc",
        "huber_loss",
        "index_add",
        "index_copy",
        "index_fill",
        "index_put",
        "index_reduce",
        "is_nonzero",
        "kthvalue",
        "linalg_vector_norm",
        "linspace",
        "log_normal",
        "log_sigmoid",
        "log_sigmoid_forward",
        "logcumsumexp",
        "logspace",
        "logsumexp",
        "lu_unpack",
        "masked_fill",
        "masked_scatter",
        "masked_select",
        "max",
        "mean",
        "median",
        "min",
        "mode",
        "mse_loss",
        "multinomial",
        "nanmedian",
        "nansum",
        "native_batch_norm",
        "native_dropout",
        "native_group_norm",
        "native_layer_norm",
        "nll_loss",
        "nll_loss2d",
        "nll_loss2d_forward",
        "nll_loss_forward",
        "nonzero",
        "nonzero_static",
        "norm",
        "normal",
        "poisson",
        "polar",
        "prod",
        "put",
        "rand",
        "rand_like",
        "randint",
        "randint_like",
        "randn",
        "randn_like",
        "random",
        "randperm",
        "reflection_pad1d",
        "reflection_pad2d",
        "reflection_pad3d",
        "renorm",
        "replication_pad1d",
        "replication_pad2d",
        "replication_pad3d",
        "rms_norm",
        "rrelu_with_noise",
        "scatter",
        "scatter_add",
        "scatter_reduce",
        "searchsorted",
        "segment_reduce",
        "smooth_l1_loss",
        "soft_margin_loss",
        "sort",
        "std",
        "std_mean",
        "sum",
        "take",
        "topk",
        "trace",
        "tril_indices",
        "triu_indices",
        "uniform",
        "unique_consecutive",
        "unique_dim",
        "upsample_nearest1d",
        "upsample_nearest2d",
        "upsample_nearest3d",
        "var",
        "var_mean",
    }
)
"""Reductions, scans, choices, sums by index, random numbers: each element is read or written about once."""

_MOVES = frozenset(
    {
        "as_strided",
        "diagonal",
        "embedding_dense",
        "index_select",
        "select",
        "slice",
        "unfold",
        "value_selecting_reduction",
    }
)
"""What moves elements or picks them: its gradient writes each of them once."""


def costs_its_elements(operator: Any, name: str) -> bool:
    """Whether an operator works on each element about once; `name` without the underscore of what works in place."""
    if torch.Tag.pointwise in operator.tags or name in _PER_ELEMENT or _is_pointwise(name):
        return True
    # The gradient of such an operator, which a mixer that learns as it reads asks for.
    forward = name.removesuffix("_data").removesuffix("_backward")
    if forward == name:
        return False
    return _is_pointwise(forward) or forward in _PER_ELEMENT or forward in _MOVES


def _is_pointwise(name: str) -> bool:
    """By any of its forms: those that work in place often lack the tag."""
    packet = getattr(torch.ops.aten, name, None)
    return packet is not None and any(
        torch.Tag.pointwise in getattr(packet, overload).tags for overload in packet.overloads()
    )

"""Counts the arithmetic of a forward pass, operator by operator, as PyTorch dispatches it; also notes precision and
transforms.

Counted: 2 per multiply-add of matrix products, convolutions and attention (by the formulas of
`torch.utils.flop_counter`); n^2 per right-hand side of a triangular solve (n^2/2 multiply-adds), 2 n^3 for an inverse
or a factorisation; 5 n log2 n per transform of length n (the usual radix-2 figure); one per element that any other
operator writes, or reads where it reduces. Complex numbers: a multiply-add is four real ones (of a product, a solve,
a factorisation), a product or quotient of elements is four, any other operator two an element; a convolution is seen
as the three real ones that PyTorch makes of it; a transform's figure is one of complex numbers already. Not counted:
views, copies, and what a composite operator does below the dispatcher. An exponential counts as one, so the figure
bounds work from below; it compares programs, it predicts no time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

_FREE_OPERATORS = frozenset(
    {
        "_conj",
        "_to_copy",
        "_unsafe_view",
        "alias",
        "arange",
        "as_strided",
        "cat",
        "clone",
        "constant_pad_nd",
        "contiguous",
        "copy_",
        "detach",
        "diagonal",
        "embedding",
        "empty",
        "empty_like",
        "expand",
        "eye",
        "fill_",
        "flip",
        "full",
        "full_like",
        "gather",
        "im2col",
        "index",
        "index_select",
        "lift_fresh",
        "new_empty",
        "new_full",
        "new_ones",
        "new_zeros",
        "ones",
        "ones_like",
        "permute",
        "repeat",
        "roll",
        "scalar_tensor",
        "select",
        "slice",
        "split",
        "split_with_sizes",
        "squeeze",
        "stack",
        "t",
        "transpose",
        "tril",
        "triu",
        "unbind",
        "unfold",
        "unsqueeze",
        "view",
        "view_as_complex",
        "view_as_real",
        "where",
        "zero_",
        "zeros",
        "zeros_like",
    }
)
# What multiplies or divides element by element; in place the name ends with an underscore more.
_PRODUCTS = frozenset(
    {"addcdiv", "addcmul", "cumprod", "div", "dot", "lerp", "mul", "pow", "prod", "reciprocal", "square", "vdot"}
)
_REAL_OF_A_COMPLEX_PRODUCT = 4
_LOW_PRECISION = (torch.float32, torch.bfloat16, torch.float16)


class WorkCounter(TorchDispatchMode):
    """Context manager around a forward pass. `multiply_adds` counts 2 per multiply-add, `elementwise` everything
    else, `bytes` what operators allocate for results, freed or not.
    """

    def __init__(self) -> None:
        super().__init__()
        self.multiply_adds = 0.0
        self.elementwise = 0.0
        self.bytes = 0
        self.transforms = False
        self.coarsest: torch.dtype | None = None
        self.operators = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Torch wraps a mode so that compilers leave it alone, and that wrapper imports the compiler: 2.5 CPU
        seconds for nothing.
        """
        return False

    @property
    def total(self) -> float:
        return self.multiply_adds + self.elementwise

    def __torch_dispatch__(
        self, operator: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        packet = operator._overloadpacket
        if packet not in flop_registry:
            with self:  # a composite operator is counted by its parts
                parts = operator.decompose(*args, **kwargs)
            if parts is not NotImplemented:
                return parts
        result = operator(*args, **kwargs)
        self._count(packet, args, kwargs, result)
        return result

    def _count(self, packet: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        self.operators += 1
        name = packet.__name__
        written, operands = _tensors(result), _tensors(args)
        touched = [*written, *operands]
        read = {tensor.untyped_storage().data_ptr() for tensor in operands}
        product = _REAL_OF_A_COMPLEX_PRODUCT if any(tensor.is_complex() for tensor in touched) else 1
        for tensor in written:
            self._note_precision(tensor.dtype)
            if tensor.untyped_storage().data_ptr() not in read:  # neither a view nor in place
                self.bytes += tensor.untyped_storage().nbytes()
        if packet in flop_registry:
            self.multiply_adds += product * flop_registry[packet](*args, **kwargs, out_val=result)
        elif name.startswith("_scaled_dot_product_"):  # the registry knows those of GPUs only
            query, key, value = args[:3]
            scores = query[..., 0].numel() * key.shape[-2]
            self.multiply_adds += 2 * scores * (query.shape[-1] + value.shape[-1])
        elif name in ("linalg_solve_triangular", "triangular_solve"):
            rows = written[0].shape[-2]
            self.multiply_adds += product * written[0].numel() * rows
        elif name in ("linalg_inv_ex", "_linalg_solve_ex", "linalg_lu_factor_ex", "linalg_cholesky_ex"):
            rows = written[0].shape[-2]
            self.multiply_adds += product * 2 * written[0].numel() * rows
        elif name.startswith("_fft_"):
            self.transforms = True
            points = max(tensor.numel() for tensor in touched)
            length = max(2, *(tensor.shape[-1] for tensor in written))
            self.elementwise += 5 * points * math.log2(length)
        elif name not in _FREE_OPERATORS:
            elements = max((tensor.numel() for tensor in touched), default=0)
            self.elementwise += elements * (product if name.rstrip("_") in _PRODUCTS else min(product, 2))

    def _note_precision(self, dtype: torch.dtype) -> None:
        if dtype in _LOW_PRECISION and (
            self.coarsest is None or _LOW_PRECISION.index(dtype) > _LOW_PRECISION.index(self.coarsest)
        ):
            self.coarsest = dtype


def count_work(forward: Callable[[], object]) -> WorkCounter:
    """Runs `forward` without gradients and returns the count."""
    counter = WorkCounter()
    with torch.no_grad(), counter:
        forward()
    return counter


def _tensors(value: Any) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, (tuple, list)):
        return [tensor for item in value for tensor in _tensors(item)]
    return []

"""Counts the arithmetic of a forward pass, operator by operator, as PyTorch dispatches it; also notes precision and
transforms.

Counted: 2 per multiply-add of matrix products, convolutions and attention (by the formulas of
`torch.utils.flop_counter`); what gates/work_formulas.py says of solves, factorisations, distances, pools and fused
recurrent layers; 5 n log2 n per transform of length n (the usual radix-2 figure); one per element that element-wise
operators, reductions and the like write, or read where they reduce. An operator of neither kind has no count and is
named in `uncounted`: no figure of its program can be believed. Complex numbers: a multiply-add is four real ones (of a
product, a solve, a factorisation), a product or quotient of elements is four, any other operator two an element; a
convolution is seen as the three real ones that PyTorch makes of it; a transform's figure is one of complex numbers
already. Not counted: views, copies, and what a composite operator does below the dispatcher. An exponential counts as
one, so the figure bounds work from below; it compares programs, it predicts no time.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from ..programs import PROGRAM_FILE_PREFIX
from .work_formulas import FORMULAS, costs_its_elements

_FREE_OPERATORS = frozenset(
    {
        "_assert_async",
        "_assert_scalar",
        "_assert_tensor_metadata",
        "_conj",
        "_linalg_check_errors",
        "_neg_view",
        "_reshape_alias",
        "_reshape_copy",
        "_to_copy",
        "_unsafe_index",
        "_unsafe_masked_index",
        "_unsafe_view",
        "alias",
        "arange",
        "as_strided",
        "block_diag",
        "cat",
        "channel_shuffle",
        "clone",
        "constant_pad_nd",
        "contiguous",
        "copy",
        "copy_",
        "detach",
        "diag_embed",
        "diagonal",
        "diagonal_scatter",
        "embedding",
        "empty",
        "empty_like",
        "empty_permuted",
        "empty_strided",
        "equal",
        "expand",
        "eye",
        "fill",
        "fill_",
        "flip",
        "full",
        "full_like",
        "gather",
        "im2col",
        "index",
        "index_select",
        "lift",
        "lift_fresh",
        "lift_fresh_copy",
        "narrow_copy",
        "new_empty",
        "new_empty_strided",
        "new_full",
        "new_ones",
        "new_zeros",
        "ones",
        "ones_like",
        "permute",
        "pixel_shuffle",
        "pixel_unshuffle",
        "repeat",
        "repeat_interleave",
        "resize",
        "roll",
        "rot90",
        "scalar_tensor",
        "select",
        "select_scatter",
        "set",
        "slice",
        "slice_scatter",
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
        "unsafe_chunk",
        "unsafe_split",
        "unsafe_split_with_sizes",
        "unsqueeze",
        "view",
        "view_as_complex",
        "view_as_real",
        "where",
        "zero",
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
        self.uncounted: dict[str, int | None] = {}
        """Operators without a count; the line of the program that called each first, where one did."""

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
        self._count(operator, args, kwargs, result)
        return result

    def _count(self, operator: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        self.operators += 1
        packet = operator._overloadpacket
        name = packet.__name__
        base = name.rstrip("_")
        written, operands = _tensors(result), _tensors(args)
        touched = [*written, *operands]
        read = {tensor.untyped_storage().data_ptr() for tensor in operands}
        product = _REAL_OF_A_COMPLEX_PRODUCT if any(tensor.is_complex() for tensor in touched) else 1
        for tensor in written:
            self._note_precision(tensor.dtype)
            if tensor.untyped_storage().data_ptr() not in read:  # neither a view nor in place
                self.bytes += tensor.untyped_storage().nbytes()
        product_formula = flop_registry.get(packet) or flop_registry.get(getattr(torch.ops.aten, base, None))
        if product_formula is not None:
            self.multiply_adds += product * product_formula(*args, **kwargs, out_val=result)
        elif name.startswith("_scaled_dot_product_"):  # the registry knows those of GPUs only
            query, key, value = args[:3]
            scores = query[..., 0].numel() * key.shape[-2]
            self.multiply_adds += 2 * scores * (query.shape[-1] + value.shape[-1])
        elif base in FORMULAS:
            self.multiply_adds += product * FORMULAS[base](args, written)
        elif name.startswith("_fft_"):
            self.transforms = True
            points = max(tensor.numel() for tensor in touched)
            length = max(2, *(tensor.shape[-1] for tensor in written))
            self.elementwise += 5 * points * math.log2(length)
        elif name not in _FREE_OPERATORS:
            elements = max((tensor.numel() for tensor in touched), default=0)
            self.elementwise += elements * (product if base in _PRODUCTS else min(product, 2))
            if base not in _FREE_OPERATORS and not costs_its_elements(operator, base):
                self.uncounted.setdefault(name, _program_line())

    def _note_precision(self, dtype: torch.dtype) -> None:
        if dtype in _LOW_PRECISION and (
            self.coarsest is None or _LOW_PRECISION.index(dtype) > _LOW_PRECISION.index(self.coarsest)
        ):
            self.coarsest = dtype


def all_uncounted(works: Iterable[WorkCounter]) -> dict[str, int | None]:
    """Of several passes together, by name."""
    found: dict[str, int | None] = {}
    for work in works:
        found = {**work.uncounted, **found}
    return dict(sorted(found.items()))


def uncounted_words(uncounted: Mapping[str, int | None]) -> str:
    """What a person can do about operators without a count."""
    named = [name if line is None else f"{name} at line {line}" for name, line in uncounted.items()]
    return (
        f"the program uses {'an operator' if len(named) == 1 else 'operators'} whose work nobody counts "
        f"({', '.join(named[:5])}); "
        "write the same with matrix products, convolutions, sums or element-wise operators"
    )


def count_work(forward: Callable[[], object]) -> WorkCounter:
    """Runs `forward` without gradients and returns the count."""
    counter = WorkCounter()
    with torch.no_grad(), counter:
        forward()
    return counter


def _program_line() -> int | None:
    """The line of the program that runs now: that of its innermost frame."""
    frame = sys._getframe()
    while frame is not None:
        if frame.f_code.co_filename.startswith(PROGRAM_FILE_PREFIX):
            return frame.f_lineno
        frame = frame.f_back
    return None


def _tensors(value: Any) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, (tuple, list)):
        return [tensor for item in value for tensor in _tensors(item)]
    return []

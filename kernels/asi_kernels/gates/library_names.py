"""Which names of the modules that a mixer may import are for mixers: a list of what is allowed.

PyTorch puts over a thousand names directly under `torch`. Most are operations on tensors; among the others are a reader
of files, a compiler and interpreter for texts of its own (TorchScript, which reaches every operation there is),
serialisation, threads, global settings and the random state. A list of what is refused would have to name all of these
in every version. So the names are taken from where PyTorch keeps its operations, and few besides are written out here.

Does not cover: what the methods of a value do, or what an allowed function does with its arguments.
"""

from __future__ import annotations

import builtins
import functools
import importlib

import torch

# Operations that open a file by name, or are entries to one library below torch with forms of weights of its own.
_REFUSED_OPERATIONS = frozenset({"from_file"})
_BACKENDS = ("cudnn_", "fbgemm_", "miopen_", "mkldnn_")
# Of what lies directly under torch and is neither an operation nor a dtype.
_OF_TORCH = frozenset(
    {
        *("Size", "Tensor", "device", "dtype", "finfo", "iinfo", "layout", "memory_format"),
        *("BFloat16Tensor", "BoolTensor", "DoubleTensor", "FloatTensor", "HalfTensor", "IntTensor", "LongTensor"),
        *("autocast", "enable_grad", "inference_mode", "no_grad"),
        *("get_autocast_cpu_dtype", "get_autocast_dtype", "get_autocast_gpu_dtype", "get_default_dtype"),
        *("is_autocast_cpu_enabled", "is_autocast_enabled", "is_grad_enabled", "is_inference_mode_enabled"),
        *("broadcast_shapes", "is_tensor", "lobpcg", "lu", "pca_lowrank", "svd_lowrank", "unique", "unravel_index"),
        *("get_default_device", "typename", "vmap"),
        *("channels_last", "channels_last_3d", "contiguous_format", "preserve_format", "strided"),
        *("e", "inf", "nan", "newaxis", "pi"),
        *("sym_float", "sym_int", "sym_max", "sym_min", "sym_not", "sym_sqrt"),
    }
)
# All that a mixer has a use for in modules that otherwise set, copy or compile things by name.
_WRITTEN = {
    "dataclasses": frozenset({"InitVar", "KW_ONLY", "dataclass", "field"}),
    "functools": frozenset({"cache", "cached_property", "lru_cache", "partial", "reduce", "total_ordering"}),
    "torch.autograd": frozenset(
        {"Function", "Variable", "backward", "enable_grad", "grad", "inference_mode", "no_grad"},
    ),
    "torch.autograd.function": frozenset({"Function", "FunctionCtx", "InplaceFunction", "once_differentiable"}),
    # What annotations are written with. Its functions evaluate or take apart annotations, which may be texts: a way to
    # run what the review has not read. TypedDict takes any text for the name of a field, which a dataclass runs.
    "typing": frozenset(
        {
            *("Any", "Annotated", "AnyStr", "Callable", "ClassVar", "Concatenate", "Final", "Generic", "Literal"),
            *("LiteralString", "NamedTuple", "Never", "NewType", "NoReturn", "NotRequired", "Optional", "ParamSpec"),
            *("Protocol", "Required", "Self", "Type", "TypeAlias", "TypeGuard", "TypeVar", "TypeVarTuple"),
            *("TYPE_CHECKING", "Union", "Unpack", "cast", "final", "overload"),
            *("AbstractSet", "Collection", "Container", "DefaultDict", "Deque", "Dict", "FrozenSet", "Generator"),
            *("Hashable", "Iterable", "Iterator", "List", "Mapping", "MutableMapping", "MutableSequence"),
            *("OrderedDict", "Reversible", "Sequence", "Set", "Sized", "SupportsFloat", "SupportsInt", "Text", "Tuple"),
        }
    ),
}
_OF_PYTHON = frozenset(
    {
        *("False", "None", "True", "Ellipsis", "NotImplemented", "__debug__", "__name__"),
        *("abs", "all", "any", "ascii", "bin", "bool", "bytearray", "bytes", "callable", "chr", "classmethod"),
        *("complex", "dict", "divmod", "enumerate", "filter", "float", "format", "frozenset", "getattr", "hasattr"),
        *("hash", "hex", "id", "int", "isinstance", "issubclass", "iter", "len", "list", "map", "max", "min", "next"),
        *("object", "oct", "ord", "pow", "print", "property", "range", "repr", "reversed", "round", "set", "setattr"),
        *("slice", "sorted", "staticmethod", "str", "sum", "super", "tuple", "type", "zip"),
    }
)
# Where PyTorch keeps the operations of a module: one of ours has those, and what it defines itself.
_OPERATIONS_OF = {
    "torch.fft": "torch._C._fft",
    "torch.linalg": "torch._C._linalg",
    "torch.nn.functional": "torch._C._nn",
    "torch.special": "torch._C._special",
}
_SAID = {
    "torch": "its operations on tensors, as in torch.matmul and torch.where, dtypes, and Tensor, no_grad and the like",
    "torch.nn.functional": "its own functions, as in F.silu and F.scaled_dot_product_attention",
}
_OWNERS = "files, compilers, global settings and random state belong to the trainer"


@functools.cache
def allowed_names(module: str) -> frozenset[str] | None:
    """Names directly under an allowed module that a mixer may use; None where all of them are."""
    if module == "torch":
        return _operations() | _dtypes() | _OF_TORCH
    if module in _WRITTEN:
        return _WRITTEN[module]
    return _own_names(module) if module.startswith("torch.") else None


def refusal_of(module: str, name: str) -> str | None:
    """Why a mixer may not use `name`, which lies directly under an allowed module, and what it may; None if it may."""
    allowed = allowed_names(module)
    if allowed is None or name in allowed:
        return None
    if not hasattr(importlib.import_module(module), name):
        return f"use of {module}.{name}, which PyTorch {torch.__version__} does not have"
    if module in _WRITTEN:
        return f"use of {module}.{name}; of {module} a mixer may use {', '.join(sorted(allowed))}"
    return f"use of {module}.{name}; of {module} a mixer may use {_SAID.get(module, 'what it documents')}; {_OWNERS}"


@functools.cache
def allowed_builtins() -> frozenset[str]:
    """Names of Python itself that a mixer may use. Others open files, run texts or look into the interpreter."""
    errors = {
        name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, BaseException)
    }
    return _OF_PYTHON | errors


def is_refused_builtin(name: str) -> bool:
    """site adds some that read files (license) or end the process (exit)."""
    return hasattr(builtins, name) and name not in allowed_builtins()


def _operations() -> frozenset[str]:
    """What runs as one operation on tensors; the random ones draw from the generator that a trial seeds."""
    names = {name for name in dir(torch._C._VariableFunctions) if not name.startswith(("_", *_BACKENDS))}
    return frozenset(names - _REFUSED_OPERATIONS)


def _dtypes() -> frozenset[str]:
    return frozenset(name for name, value in vars(torch).items() if isinstance(value, torch.dtype))


def _own_names(module: str) -> frozenset[str]:
    """Public names of a module of PyTorch that it defines or documents, and the operations and types of torch among
    them. What it merely imported for its own use is left out: torch.nn.functional has the whole of torch.
    """
    holder = importlib.import_module(module)
    documented = frozenset(getattr(holder, "__all__", ()))
    of_torch = allowed_names("torch") or frozenset()
    home, operations = f"{module}.", _OPERATIONS_OF.get(module)
    found = set()
    for name, value in vars(holder).items():
        defined_in = getattr(value, "__module__", None) or ""
        is_own = name in documented or f"{defined_in}.".startswith(home) or defined_in == operations
        is_of_torch = name in of_torch and value is getattr(torch, name, None)
        is_error = isinstance(value, type) and issubclass(value, Exception)
        if not name.startswith("_") and callable(value) and (is_own or is_of_torch or is_error):
            found.add(name)
    return frozenset(found)

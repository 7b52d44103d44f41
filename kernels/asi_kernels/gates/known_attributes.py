"""Which attributes of values a program may name.

What is listed is what tensors, modules of torch.nn and Python's plain values have, and what the program itself gives a
name to. A list of what is refused would have to name every way from a value into the interpreter: the code of a
generator, a forward reference that evaluates its text, the printer of Python's licence that opens files. So a name that
neither list holds is refused, and one that leads into the interpreter is refused for the program's own values too.

Does not cover: attributes that a value has under an allowed name, whatever the value is.
"""

from __future__ import annotations

import ast
import builtins
import dis
import functools
import re
import types
import typing
from collections.abc import Iterable, Iterator

import torch
from torch import nn
from torch.nn.utils import parametrize

_PLAIN_VALUES = (
    *(bool, bytes, complex, dict, float, frozenset, int, list, range, set, slice, str, tuple),
    *(functools.partial, torch.Size, torch.device, torch.dtype, type(torch.finfo(torch.float32))),
    type(torch.iinfo(torch.int32)),
)
# Of values that otherwise have ways into the interpreter.
_WRITTEN = frozenset(
    {
        *("save_for_backward", "save_for_forward", "saved_tensors", "needs_input_grad"),
        *("mark_dirty", "mark_non_differentiable", "set_materialize_grads"),
        *("apply", "backward", "forward", "jvp", "setup_context", "vmap"),  # of an autograd function
        *("getter", "setter", "deleter", "cache_info", "cache_clear", "close", "send", "throw"),
        *("add_note", "args", "value", "reason", "object"),  # of exceptions
        *("original", "original0", "original1", "parametrizations", "right_inverse"),
        *("_asdict", "_fields", "_make", "_replace", "_buffers", "_modules", "_parameters"),
    }
)
# What leads out of a value of the interpreter begins so; names of later versions too.
_OF_INTERPRETER = ("ag_", "co_", "cr_", "gi_", "tb_")
_PRINTERS = ("copyright", "credits", "exit", "help", "license", "quit")
_MANGLED = re.compile(r"__\w*|_[A-Za-z]\w*?__\w*")
# Attributes of typing's objects that are no more than words.
_HARMLESS = frozenset({"_name", "_version"})


@functools.cache
def known_attributes() -> frozenset[str]:
    """Public attributes of tensors, modules and plain values, and the few private ones that mixers use."""
    holders: list[type] = [torch.Tensor, nn.Parameter, *_PLAIN_VALUES]
    holders += _classes_of(nn.modules) + _classes_of(nn) + _classes_of(parametrize)
    holders += [value for value in vars(torch.return_types).values() if isinstance(value, type)]
    names = {name for holder in holders for name in (*dir(holder), *_set_by_init(holder))}
    return frozenset(name for name in names if not name.startswith("_")) | _WRITTEN


@functools.cache
def _foreign_attributes() -> frozenset[str]:
    """Names that lead into the interpreter, or that PyTorch keeps for itself."""
    kinds = [value for value in vars(types).values() if isinstance(value, type)]
    names = {name for kind in kinds for name in dir(kind)} - known_attributes()
    holders = [value for value in vars(typing).values() if isinstance(value, type) and value.__module__ == "typing"]
    holders += [type(getattr(builtins, name)) for name in _PRINTERS if hasattr(builtins, name)]
    holders += [torch.Tensor, nn.Module, torch.autograd.Function, functools.partial, property]
    names |= {name for holder in holders for name in dir(holder) if name.startswith("_")}
    names |= {"fget", "fset", "fdel", "mro", "obj"}  # obj: what an AttributeError was asked of
    return frozenset(name for name in names if not name.startswith("__")) - _HARMLESS - _WRITTEN


def leads_out(name: str) -> bool:
    """Whether a name, written by whichever program, is one of the interpreter's or of PyTorch's own. Names with two
    underscores in front are among them, since Python makes others of them (`__a` in class B is `_B__a`).
    """
    return name in _foreign_attributes() or name.startswith(_OF_INTERPRETER) or _MANGLED.fullmatch(name) is not None


def begins_as_one_that_leads_out(head: str) -> bool:
    """Whether a computed name that begins so could become one."""
    return head.startswith(_OF_INTERPRETER) or any(
        name.startswith(head) for name in (*_OF_INTERPRETER, *_foreign_attributes())
    )


class OwnAttributes:
    """Names that a program gives its own values."""

    def __init__(self, tree: ast.AST) -> None:
        self._names = frozenset(_own_names(tree))
        ends = [_ends_of(node) for node in ast.walk(tree) if isinstance(node, (ast.JoinedStr, ast.BinOp, ast.Call))]
        self._heads = tuple({head for head, _ in ends if len(head) > 1})
        self._tails = tuple({tail for _, tail in ends if len(tail) > 1})

    def has(self, name: str) -> bool:
        """Also by a computed name of which the text shows how it begins or ends: register_buffer(f"{kind}_bias")."""
        return name in self._names or name.startswith(self._heads) or name.endswith(self._tails)


def is_done_by_torch(name: str) -> bool:
    """Whether tensors or modules of PyTorch do something by that name: set on a class, it changes what they do."""
    return any(callable(getattr(holder, name, None)) for holder in (torch.Tensor, nn.Module))


def _own_names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=name, ctx=ast.Store() | ast.Del()):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name, body=body):
                yield name
                yield from class_names(body)
            case ast.Constant(value=str(text)) if text.isidentifier():
                yield text
            case ast.keyword(arg=str(name)):  # nn.ModuleDict(dict(query=…)), NamedTuple("Pair", left=…)
                yield name


def class_names(body: Iterable[ast.stmt]) -> Iterator[str]:
    """Names that a class body binds; fields of a dataclass are among them, which patterns read by their place."""
    for statement in body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Assign(targets=targets):
                for target in targets:
                    yield from (node.id for node in ast.walk(target) if isinstance(node, ast.Name))


def _ends_of(node: ast.JoinedStr | ast.BinOp | ast.Call) -> tuple[str, str]:
    """Literal beginning and end of a computed text."""
    if isinstance(node, ast.Call):
        is_format = isinstance(node.func, ast.Attribute) and node.func.attr == "format"
        text = node.func.value if is_format else None
        is_text = isinstance(text, ast.Constant) and isinstance(text.value, str)
        pieces = re.split(r"\{[^}]*\}", text.value) if is_text else [""]
        return pieces[0], pieces[-1]
    parts = node.values if isinstance(node, ast.JoinedStr) else [node.left, node.right]
    texts = [part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else "" for part in parts]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return texts[0].split("%")[0], ""
    return (texts[0], texts[-1]) if texts else ("", "")


def _classes_of(module: types.ModuleType) -> list[type]:
    return [value for value in vars(module).values() if isinstance(value, type)]


def _set_by_init(holder: type) -> Iterator[str]:
    """Attributes that the instances of a class get when they are made: in_features of nn.Linear."""
    yield from getattr(holder, "__annotations__", ())
    for kind in holder.__mro__:
        code = getattr(vars(kind).get("__init__"), "__code__", None)
        if code is not None:
            yield from (step.argval for step in dis.get_instructions(code) if step.opname == "STORE_ATTR")

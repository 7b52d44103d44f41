"""Names with two underscores on both sides that a program binds, in whichever way.

Python calls methods of such names by itself, and reads annotations and the arguments of patterns by them: a reflected
addition can make any attribute's name out of one that the text shows, and annotations that are texts are run by
dataclasses. So the methods that a class may have are listed, and nothing else binds such a name.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

_METHODS = frozenset(
    {
        *(
            "__init__",
            "__post_init__",
            "__copy__",
            "__deepcopy__",
            "__call__",
            "__enter__",
            "__exit__",
            "__repr__",
            "__str__",
        ),
        *("__len__", "__iter__", "__next__", "__reversed__", "__contains__", "__getitem__", "__setitem__"),
        *("__bool__", "__int__", "__float__", "__index__", "__hash__"),
        *("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"),
        *(
            "__add__",
            "__sub__",
            "__mul__",
            "__matmul__",
            "__truediv__",
            "__floordiv__",
            "__pow__",
            "__neg__",
            "__abs__",
        ),
    }
)
_VALUES = frozenset({"__all__", "__author__", "__slots__", "__version__"})


def special_names(tree: ast.AST) -> list[str]:
    """What is bound and may not be, with its line."""
    return [
        f"line {line}: {name} is bound; of such names a class may define methods of values, as __init__ and __len__"
        for line, name, is_method in _bound(tree, in_class=False)
        if name.startswith("__") and name.endswith("__") and name not in (_METHODS if is_method else _VALUES)
    ]


def bound_names(tree: ast.AST) -> frozenset[str]:
    """Every name that the program gives a meaning of its own, wherever."""
    return frozenset(name for _, name, _ in _bound(tree, in_class=False))


def _bound(node: ast.AST, *, in_class: bool) -> Iterator[tuple[int, str, bool]]:
    """(line, name, whether it is a function of a class body)."""
    line = getattr(node, "lineno", 0)
    for name in _names_of(node):
        yield line, name, in_class and isinstance(node, ast.FunctionDef)
    for child in ast.iter_child_nodes(node):
        yield from _bound(child, in_class=isinstance(node, ast.ClassDef))


def _names_of(node: ast.AST) -> list[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            return [name]
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.arg(arg=name):
            return [name]
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            return [name]
        case ast.MatchMapping(rest=str(name)):
            return [name]
        case ast.alias(name=name, asname=asname):
            return [asname or name.split(".")[0]]
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            return list(names)
    return []

"""How much a program's text carries besides code: trained weights can be brought along in literals and names.

The bounds are of the whole text, so that many small tables are no way round the bound of one. Emitted programs carry at
most 200 bytes of text, 270 numbers and 1,500 bytes of different names.
"""

from __future__ import annotations

import ast

_MOST_TEXT_BYTES = 2_000
_MOST_NUMBERS = 600
_MOST_NAME_BYTES = 6_000
_NAME_FIELDS = ("id", "attr", "arg", "name", "asname")


def carried_data(tree: ast.Module) -> list[str]:
    """What is too much, with the number and the bound. Docstrings do not count: nothing reads them."""
    docstrings = {id(text) for text in map(_docstring, ast.walk(tree)) if text is not None}
    constants = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in docstrings]
    text = sum(_num_bytes(node.value) for node in constants if isinstance(node.value, (str, bytes)))
    numbers = sum(type(node.value) in (int, float, complex) for node in constants)
    names = {
        name for node in ast.walk(tree) for field in _NAME_FIELDS if isinstance(name := getattr(node, field, None), str)
    }
    counts = [
        ("bytes of text in its literals", text, _MOST_TEXT_BYTES),
        ("numbers", numbers, _MOST_NUMBERS),
        ("bytes in its different names", sum(map(_num_bytes, names)), _MOST_NAME_BYTES),
    ]
    return [
        f"the program has {count:,} {what}; at most {bound:,} are allowed, since weights could be carried in them"
        for what, count, bound in counts
        if count > bound
    ]


def _num_bytes(value: str | bytes) -> int:
    """A character of another script carries more than one of ours: what counts is its code."""
    return len(value) if isinstance(value, bytes) else len(value.encode("utf-8", "surrogatepass"))


def _docstring(node: ast.AST) -> ast.Constant | None:
    if not isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) or not node.body:
        return None
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return first.value
    return None

"""Which attribute names an expression of a program can yield, told from the text alone.

`getattr(x, name)` is as safe as the names that come out of `name`. A constant is the attribute written out. A computed
name is taken only where the text shows how it begins: an f-string, a concatenation, `%` or `str.format` with a literal
head of at least two characters that no name out of reach begins with, or a variable whose every binding is such an
expression. Whatever is put behind such a head, the review would have let the same name through written out.

Does not cover what an attribute that may be read leads to; `static_review` reads those names one by one.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from .known_attributes import begins_as_one_that_leads_out, leads_out

_HEAD = re.compile(r"[A-Za-z][A-Za-z0-9_]+")
_DEEPEST = 8  # names that stand for names that stand for names
_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_LITERAL_TABLES = (ast.Tuple, ast.List, ast.Set)


@dataclass
class Scope:
    """Bindings of one outermost function with all that is nested in it, or of the module outside of functions.

    `values` holds for each name the expressions that it may stand for, and None for a binding that shows none, as a
    parameter does. `owner` is the first parameter of a method, or None.
    """

    values: dict[str, list[ast.expr | None]] = field(default_factory=dict)
    owner: str | None = None

    def is_owner(self, node: ast.expr) -> bool:
        """Whether `node` is the method's first parameter, bound by the call alone."""
        return isinstance(node, ast.Name) and node.id == self.owner and len(self.values.get(node.id, [])) == 1


def module_scope(tree: ast.Module) -> Scope:
    scope = Scope()
    for statement in tree.body:
        _collect(scope, statement, into_functions=False)
    return scope


def function_scope(function: _Function, is_method: bool) -> Scope:
    scope = Scope()
    _collect(scope, function, into_functions=True)
    if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        scope.values.pop(function.name, None)  # bound outside of itself
        first = [*function.args.posonlyargs, *function.args.args][:1]
        if is_method and first:
            scope.owner = first[0].arg
    return scope


class AttributeNames:
    """Answers for one program. `refused` are names that must not come out."""

    def __init__(self, tree: ast.Module, refused: Iterable[str]) -> None:
        self._module = module_scope(tree)
        self._refused = tuple(refused)

    def is_shown(self, name: ast.expr, scope: Scope | None, depth: int = 0) -> bool:
        """Whether every value of the expression `name` inside `scope` is an attribute that may be written out."""
        if depth > _DEEPEST:
            return False
        if isinstance(name, ast.Constant):
            return isinstance(name.value, str) and self._may_be_written(name.value)
        if isinstance(name, ast.IfExp):
            return all(self.is_shown(branch, scope, depth + 1) for branch in (name.body, name.orelse))
        if isinstance(name, ast.Name):
            bound = self._values_of(name.id, scope)
            return bool(bound) and all(value is not None and self.is_shown(value, scope, depth + 1) for value in bound)
        if isinstance(name, ast.JoinedStr) and name.values and isinstance(name.values[0], ast.FormattedValue):
            return self._begins_with_shown(name.values, scope)
        head = _head_of(name)
        return head is not None and self._is_safe_head(head)

    def _begins_with_shown(self, parts: list[ast.expr], scope: Scope | None) -> bool:
        """f"{name}_proj" in a loop over ("query", "key"): the literal goes on from each that `name` may stand for."""
        first, *rest = parts
        is_plain = isinstance(first, ast.FormattedValue) and first.conversion == -1 and first.format_spec is None
        if not is_plain or not isinstance(first.value, ast.Name) or not rest or _text_of(rest[0]) is None:
            return False
        bound = self._values_of(first.value.id, scope)
        begins = [None if value is None else _text_of(value) for value in bound]
        return bool(begins) and all(
            begin is not None and self._is_safe_head(begin + (_text_of(rest[0]) or "")) for begin in begins
        )

    def _values_of(self, name: str, scope: Scope | None) -> list[ast.expr | None]:
        """What a name stands for; a loop over a constant table of the module stands for the table's entries."""
        return [entry for value in self._bound(name, scope) for entry in self._entries(value, scope)]

    def _bound(self, name: str, scope: Scope | None) -> list[ast.expr | None]:
        """Bindings of the function and of the module: a name of a nested class or comprehension hides neither."""
        here = scope.values.get(name, []) if scope is not None else []
        return [*here, *self._module.values.get(name, [])]

    def _entries(self, value: ast.expr | None, scope: Scope | None) -> Iterator[ast.expr | None]:
        if not isinstance(value, ast.Starred):  # stands for no loop
            yield value
            return
        table = value.value
        if isinstance(table, ast.Name):
            # A list could have been added to since; a tuple cannot.
            bound = self._bound(table.id, scope)
            table = bound[0] if len(bound) == 1 and isinstance(bound[0], ast.Tuple) else None
        yield from table.elts if isinstance(table, _LITERAL_TABLES) else (None,)

    def _may_be_written(self, name: str) -> bool:
        return not leads_out(name) and name not in self._refused

    def _is_safe_head(self, head: str) -> bool:
        is_refused = any(name.startswith(head) for name in self._refused) or begins_as_one_that_leads_out(head)
        return bool(_HEAD.fullmatch(head)) and not is_refused


def _head_of(name: ast.expr) -> str | None:
    """The literal text that a computed text begins with, or None."""
    if isinstance(name, ast.JoinedStr):
        return _text_of(name.values[0]) if name.values else None
    if isinstance(name, ast.BinOp) and isinstance(name.op, ast.Add):
        return _text_of(name.left) or _head_of(name.left)
    if isinstance(name, ast.BinOp) and isinstance(name.op, ast.Mod):
        text = _text_of(name.left)
        return None if text is None else text.split("%")[0]
    if isinstance(name, ast.Call) and isinstance(name.func, ast.Attribute) and name.func.attr == "format":
        text = _text_of(name.func.value)
        return None if text is None else re.split("[{}]", text)[0]
    return None


def _text_of(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _collect(scope: Scope, node: ast.AST, into_functions: bool) -> None:
    """Enters every binding below `node`. A binding that this does not understand is entered as None."""
    if isinstance(node, _SCOPES) and not into_functions:
        if not isinstance(node, ast.Lambda):
            scope.values.setdefault(node.name, []).append(None)
        return
    for name, value in _bindings(node):
        scope.values.setdefault(name, []).append(value)
    for child in ast.iter_child_nodes(node):
        _collect(scope, child, into_functions)


def _bindings(node: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from _bound_by(target, node.value)
    elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and node.value is not None:
        yield from _bound_by(node.target, node.value)
    elif isinstance(node, ast.AugAssign):
        yield from _bound_by(node.target, None)
    elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
        yield from _bound_by(node.target, ast.Starred(value=node.iter, ctx=ast.Load()))
    elif isinstance(node, (ast.With, ast.AsyncWith)):
        for item in node.items:
            if item.optional_vars is not None:
                yield from _bound_by(item.optional_vars, None)
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from (((alias.asname or alias.name).split(".")[0], None) for alias in node.names)
    elif isinstance(node, ast.arg):
        yield node.arg, None
    elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar, ast.FunctionDef, ast.AsyncFunctionDef)):
        if node.name is not None:
            yield node.name, None
    elif isinstance(node, ast.ClassDef):
        yield node.name, None
    elif isinstance(node, ast.MatchMapping) and node.rest is not None:
        yield node.rest, None


def _bound_by(target: ast.expr, value: ast.expr | None) -> Iterator[tuple[str, ast.expr | None]]:
    """Unpacking is followed where both sides are written out, element by element, and not at all elsewhere."""
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Starred):
        yield from _bound_by(target.value, None)
    elif isinstance(target, (ast.Tuple, ast.List)):
        rows = value.elts if isinstance(value, _LITERAL_TABLES) else None
        is_row = rows is not None and len(rows) == len(target.elts) and not isinstance(value, ast.Set)
        flat = is_row and not any(isinstance(one, ast.Starred) for one in (*rows, *target.elts))
        for index, element in enumerate(target.elts):
            yield from _bound_by(element, rows[index] if flat else _column(value, index, len(target.elts)))


def _column(value: ast.expr | None, index: int, width: int) -> ast.expr | None:
    """Entry `index` of each row of a literal table that a loop runs over: for name, size in (("a", 1), ("b", 2))."""
    table = value.value if isinstance(value, ast.Starred) else None
    if not isinstance(table, _LITERAL_TABLES):
        return None
    rows = [row.elts if isinstance(row, ast.Tuple) and len(row.elts) == width else None for row in table.elts]
    if any(row is None or any(isinstance(one, ast.Starred) for one in row) for row in rows):
        return None
    return ast.Starred(value=ast.Tuple(elts=[row[index] for row in rows], ctx=ast.Load()), ctx=ast.Load())

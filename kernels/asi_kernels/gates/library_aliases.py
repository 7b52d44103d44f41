"""What the names of a program may stand for of the libraries: whole text, every scope, any order."""

from __future__ import annotations

import ast
from collections.abc import Iterator

Aliases = dict[str, frozenset[str]]
"""Dotted names by local name: all that it stands for anywhere, since a function may run after what is below it."""


def aliases_of(tree: ast.AST) -> Aliases:
    """By imports, and by assignments of what they gave to a plain name: F = torch.nn.functional."""
    found: dict[str, set[str]] = {}
    for name, dotted in _imported(tree):
        found.setdefault(name, set()).add(dotted)
    assigned = [
        (node.targets[0].id, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
    ]
    is_growing = True
    while is_growing:
        is_growing = False
        for name, value in assigned:
            known = found.get(name, set())
            new = {dotted for dotted in dotted_names(value, found) if dotted.count(".") < _LONGEST} - known
            if new:
                found[name] = known | new
                is_growing = True
    return {name: frozenset(dotted) for name, dotted in found.items()}


_LONGEST = 12  # parts of a dotted name; t = t.nn would grow for ever


def dotted_names(node: ast.AST, aliases: dict[str, set[str]] | Aliases) -> tuple[str, ...]:
    """Dotted names of an attribute chain that begins at such a name; none elsewhere."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ()
    return tuple(".".join([first, *reversed(parts)]) for first in sorted(aliases.get(node.id, ())))


def _imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                local = alias.asname or alias.name.split(".")[0]
                yield local, alias.name if alias.asname else local
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module or ''}.{alias.name}"

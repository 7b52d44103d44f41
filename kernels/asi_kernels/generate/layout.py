"""Breaks the long lines of an emitted program at the commas of a bracket, so that a reader need not scroll."""

from __future__ import annotations

WIDTH = 112
_CLOSING = {"(": ")", "[": "]"}


def fit(lines: list[str]) -> list[str]:
    """The same program with lines of code within WIDTH where a bracket allows it; comments and strings stay as they
    are.
    """
    return [row for line in lines for row in _fit_line(line)]


def _fit_line(line: str) -> list[str]:
    if len(line) <= WIDTH or '"' in line or line.lstrip().startswith("#"):
        return [line]
    code, note = _without_note(line)
    spaces = " " * (len(code) - len(code.lstrip()))
    before = [f"{spaces}# {note}"] if note else []
    if len(code) <= WIDTH:
        return [*before, code]
    names, equals, value = code.strip().partition(" = ")
    if equals and "," in names and len(value) < WIDTH // 2:
        return [*before, f"{spaces}(", *_filled(names.split(", "), spaces), f"{spaces}) = {value}"]
    opening, closing = _widest_bracket(code)
    if opening < 0:
        return [*before, code]
    items = _split_at_commas(code[opening + 1 : closing])
    return [*before, code[: opening + 1], *_filled(items, spaces), spaces + code[closing:]]


def _without_note(line: str) -> tuple[str, str]:
    code, _, note = line.partition("  # ")
    return code.rstrip(), note


def _widest_bracket(code: str) -> tuple[int, int]:
    """Positions of the bracket pair, not inside another, that holds most text and a comma; (-1, -1) without one."""
    best, stack = (-1, -1), []
    for position, sign in enumerate(code):
        if sign in _CLOSING:
            stack.append(position)
        elif sign in _CLOSING.values():
            opening = stack.pop()
            if (
                not stack
                and len(_split_at_commas(code[opening + 1 : position])) > 1
                and position - opening > best[1] - best[0]
            ):
                best = (opening, position)
    return best


def _split_at_commas(text: str) -> list[str]:
    items, depth, start = [], 0, 0
    for position, sign in enumerate(text):
        depth += (sign in "([") - (sign in ")]")
        if sign == "," and depth == 0:
            items.append(text[start:position].strip())
            start = position + 1
    return [item for item in (*items, text[start:].strip()) if item]


def _filled(items: list[str], spaces: str) -> list[str]:
    """As many items a line as fit, each with its comma."""
    rows = [f"{spaces}   "]
    for item in items:
        if len(rows[-1]) + len(item) + 2 > WIDTH and rows[-1].strip():
            rows.append(f"{spaces}   ")
        rows[-1] += f" {item},"
    return rows

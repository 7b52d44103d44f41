"""The files of the process boundary: reads a request, writes a result, checks both against the generated schemas."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

RESULT_NAME = "result.json"
_SCHEMA_FOLDER = Path(__file__).parent / "schemas"
_LARGEST_REQUEST_BYTES = 16 << 20
_LONGEST_VALUE_CHARACTERS = 80


class RequestError(Exception):
    """A request that cannot be used. The message is one line: the field, its value and what would be right."""


def read_request(path: Path | str, command: str) -> dict[str, Any]:
    """The request of `command` (prepare, check, train, score) in the file at `path`. Raises RequestError."""
    try:
        with open(path, "rb") as file:
            content = file.read(_LARGEST_REQUEST_BYTES + 1)
    except OSError as error:
        raise RequestError(f"--request is {str(path)!r}, which cannot be read ({error.strerror})") from error
    if len(content) > _LARGEST_REQUEST_BYTES:
        raise RequestError(f"--request is {str(path)!r}; a request may have {_LARGEST_REQUEST_BYTES:,} bytes")
    try:
        request = parse_json(content)
    except ValueError as error:
        raise RequestError(f"--request is {str(path)!r}, which is not JSON ({error}); give one JSON object") from error
    problem = schema_problem(f"{command}-request", request)
    if problem is not None:
        raise RequestError(problem)
    return request


def write_result(workdir: Path, command: str, result: dict[str, Any]) -> None:
    """Writes result.json so that it is there whole or not at all. A result off its schema is a defect of ours:
    ValueError.
    """
    problem = schema_problem(f"{command}-result", result)
    if problem is not None:
        raise ValueError(f"result of {command}: {problem}")
    write_atomically(workdir / RESULT_NAME, json.dumps(result, allow_nan=False, separators=(",", ":")).encode())


def write_atomically(path: Path, content: bytes) -> None:
    """Replaces the file at `path` by one with `content`, which is on disk before it gets the name."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with open(beside, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)


def parse_json(content: bytes | str) -> Any:
    """json.loads that also refuses NaN, Infinity, doubled keys and nesting too deep to read. Raises ValueError."""
    try:
        return json.loads(content, parse_constant=_refuse_constant, object_pairs_hook=_object_without_doubles)
    except RecursionError as error:
        raise ValueError("it nests too deeply") from error


def schema_problem(schema: str, value: Any) -> str | None:
    """What is wrong with `value` by the generated schema of that name, in one line; None when nothing is."""
    try:
        error = next(iter(_validator(schema).iter_errors(value)), None)
        return None if error is None else _describe(_innermost(error))
    except RecursionError:
        return "it nests too deeply"


@cache
def _validator(schema: str) -> Draft202012Validator:
    # By the standard 80.0 is an integer; as a count of steps it is not.
    checker = Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    )
    validator = extend(Draft202012Validator, type_checker=checker)
    return validator(json.loads((_SCHEMA_FOLDER / f"{schema}.json").read_text()))


def _innermost(error: ValidationError) -> ValidationError:
    """Goes down into the variant that the value means to be, as its constant field (kind, op, status) says."""
    while error.context:
        variants = _variants(error)
        meant = [index for index, constants in enumerate(variants) if _agrees(error.instance, constants)]
        # Without a constant field (a type or null) the deepest complaint says most.
        inside = [child for child in error.context if child.relative_schema_path[0] in meant] or list(error.context)
        if len(meant) != 1 and any(variants):
            return error
        error = max(inside, key=lambda child: len(child.absolute_path))
    return error


def _variants(error: ValidationError) -> list[dict[str, Any]]:
    subschemas = error.validator_value if isinstance(error.validator_value, list) else []
    return [
        {name: field["const"] for name, field in schema.get("properties", {}).items() if "const" in field}
        for schema in subschemas
    ]


def _agrees(instance: Any, constants: dict[str, Any]) -> bool:
    return isinstance(instance, dict) and all(instance.get(name) == value for name, value in constants.items())


def _describe(error: ValidationError) -> str:
    field, value = _field(error.absolute_path), error.instance
    if error.validator == "required":
        missing = next(name for name in error.validator_value if name not in value)
        return f"{_join(field, missing)} is missing; it must be there"
    if error.validator == "additionalProperties":
        known = list(error.schema.get("properties", {}))
        unknown = next(name for name in value if name not in known)
        shown = _shown(value[unknown])
        return f"{_join(field, unknown)} is {shown}, which is no known field; known are {', '.join(known)}"
    if error.validator in ("oneOf", "anyOf") and any(_variants(error)) and isinstance(value, dict):
        choices = _variants(error)
        name = next(iter(choices[0]))
        right = ", ".join(_shown(choice[name]) for choice in choices if name in choice)
        return f"{_join(field, name)} is {_shown(value.get(name))}; it must be one of {right}"
    return f"{field or 'the request'} is {_shown(value)}; it must {_requirement(error)}"


def _requirement(error: ValidationError) -> str:
    wanted = error.validator_value
    match error.validator:
        case "type":
            names = wanted if isinstance(wanted, list) else [wanted]
            return f"be of type {' or '.join(names)}"
        case "enum":
            return f"be one of {', '.join(_shown(choice) for choice in wanted)}"
        case "const":
            return f"be {_shown(wanted)}"
        case "minimum":
            return f"be at least {wanted}"
        case "maximum":
            return f"be at most {wanted}"
        case "exclusiveMinimum":
            return f"be more than {wanted}"
        case "pattern":
            return f"match {wanted}"
        case "minItems" | "minLength":
            return f"have at least {wanted} {'entry' if error.validator == 'minItems' else 'character'}"
        case "maxItems" | "maxLength":
            return f"have at most {wanted} {'entries' if error.validator == 'maxItems' else 'characters'}"
        case _:
            return f"fit {error.validator} {_shown(wanted)}"


def _field(path: Iterable[str | int]) -> str:
    text = ""
    for part in path:
        text = f"{text}[{part}]" if isinstance(part, int) else _join(text, part)
    return text


def _join(field: str, name: str) -> str:
    return f"{field}.{name}" if field else name


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=True, default=str)
    return text if len(text) <= _LONGEST_VALUE_CHARACTERS else f"{text[: _LONGEST_VALUE_CHARACTERS - 1]}…"


def _refuse_constant(word: str) -> float:
    raise ValueError(f"it holds {word}, which is no JSON number")


def _object_without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("an object holds one key twice")
    return value

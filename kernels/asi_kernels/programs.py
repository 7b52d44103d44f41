"""From the text of a program to its mixer class.

The text runs inside this process as it is imported. Whatever guards against a hostile text stands around the process,
not here.
"""

from __future__ import annotations

import hashlib
import linecache
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

MIXER_CLASS = "Mixer"
DETAIL_LIMIT = 4000  # characters, the limit of a failure's detail in the contracts
# The edge of candidate code, where anything may come out. A job has a session of its own and no Ctrl-C of a person
# reaches it: a KeyboardInterrupt in there is the program's own.
RAISED_BY_PROGRAMS = BaseException
_LARGEST_PROGRAM_BYTES = 1 << 20


class ProgramError(Exception):
    """A program that yields no mixer class. `label` is one of compile_error, import_error, rejected_static."""

    def __init__(self, label: str, detail: str) -> None:
        super().__init__(f"{label}: {detail}")
        self.label = label
        self.detail = detail[:DETAIL_LIMIT]


def program_hash(path: Path | str) -> str:
    """SHA-256 of the file's bytes, in hexadecimal: the address of the program among the artifacts."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def load_mixer_class(path: Path | str) -> type[nn.Module]:
    """Imports the program at `path` as a module of its own and returns its class `Mixer`.

    Raises ProgramError: compile_error for a text that does not parse, import_error for one that raises while it is
    imported, rejected_static for one without a class `Mixer(nn.Module)`. An unreadable file raises OSError: that
    is not the program's doing.
    """
    from torch import nn

    path = Path(path)
    module = _import_text(path, _read_text(path))
    mixer_class = getattr(module, MIXER_CLASS, None)
    if mixer_class is None:
        raise ProgramError(
            "rejected_static", f"{path.name} defines no class {MIXER_CLASS}; it must be `class Mixer(nn.Module)`"
        )
    if not isinstance(mixer_class, type) or not issubclass(mixer_class, nn.Module):
        raise ProgramError(
            "rejected_static", f"{MIXER_CLASS} of {path.name} is no subclass of torch.nn.Module; it must be one"
        )
    return mixer_class


def describe_error(error: BaseException) -> str:
    """Type, message and the program's own frames of an error of candidate code; at most DETAIL_LIMIT characters."""
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if frame.filename.startswith(PROGRAM_FILE_PREFIX)]
    lines = [
        f"  {frame.filename.removeprefix(PROGRAM_FILE_PREFIX)}:{frame.lineno} in {frame.name}: {frame.line}"
        for frame in inside[-8:]
    ]
    message = "".join(traceback.format_exception_only(error)).strip()
    return "\n".join([message[: DETAIL_LIMIT // 2], *lines])[:DETAIL_LIMIT]


def is_inside_program(error: BaseException) -> bool:
    """Whether an error came up through code of a program."""
    return any(frame.filename.startswith(PROGRAM_FILE_PREFIX) for frame in traceback.extract_tb(error.__traceback__))


# Frames of a program are told from ours by this prefix of their file name.
PROGRAM_FILE_PREFIX = "<program>/"


def _read_text(path: Path) -> str:
    size = path.stat().st_size
    if size > _LARGEST_PROGRAM_BYTES:
        raise ProgramError(
            "rejected_static", f"{path.name} has {size:,} bytes; a program may have {_LARGEST_PROGRAM_BYTES:,}"
        )
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProgramError("compile_error", f"{path.name} is not UTF-8: {error}") from error


def _import_text(path: Path, text: str) -> ModuleType:
    file_name = f"{PROGRAM_FILE_PREFIX}{path.name}"
    try:
        # Without dont_inherit the program would be compiled under the future imports of this file.
        code = compile(text, file_name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = f" at line {error.lineno}" if isinstance(error, SyntaxError) else ""
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        raise ProgramError("compile_error", f"{path.name} does not parse{line}: {reason}") from error
    # Dataclasses and typing look a module up by name; the line cache gives tracebacks their source lines.
    module = ModuleType(f"asi_program_{hashlib.sha256(text.encode()).hexdigest()[:16]}")
    module.__file__ = file_name
    linecache.cache[file_name] = (len(text), None, text.splitlines(keepends=True), file_name)
    sys.modules[module.__name__] = module
    try:
        exec(code, module.__dict__)
    except RAISED_BY_PROGRAMS as error:
        sys.modules.pop(module.__name__, None)
        raise ProgramError("import_error", f"importing {path.name} raised {describe_error(error)}") from error
    return module

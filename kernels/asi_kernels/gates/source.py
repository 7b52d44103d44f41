"""The candidate's file as it lies there: what can be said before any of it is read as a program."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from .static_review import ReviewError

_LARGEST_BYTES = 1 << 20  # programs.py reads no more


@dataclass(frozen=True)
class Source:
    """`content` is None for what is no file or is too large to read; `size` is in bytes and -1 for a folder."""

    path: Path
    hash: str
    size: int
    content: bytes | None


def read_source(path: Path) -> Source:
    """Raises OSError when there is nothing at `path` or it may not be read: a fault of the caller."""
    if path.is_dir():
        return Source(path, hashlib.sha256(b"").hexdigest(), -1, None)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = file.tell()
    return Source(path, digest, size, path.read_bytes() if size <= _LARGEST_BYTES else None)


def decode(source: Source) -> str:
    """The text. Raises ReviewError in one line for a folder and for a file that is too large, empty or no text."""
    if source.size < 0:
        raise ReviewError("rejected_static", f"{source.path.name} is a folder; it must be one Python file")
    if source.content is None:
        raise ReviewError(
            "rejected_static", f"{source.path.name} has {source.size:,} bytes; a program may have {_LARGEST_BYTES:,}"
        )
    if not source.content.strip():
        raise ReviewError("rejected_static", f"{source.path.name} is empty; it must define `class Mixer(nn.Module)`")
    zero = source.content.find(0)
    if zero >= 0:
        raise ReviewError("compile_error", f"{source.path.name} has a NUL byte at {zero}; it must be UTF-8 text")
    try:
        return source.content.decode("utf-8-sig")  # some editors put a byte order mark first, and Python allows it
    except UnicodeDecodeError as error:
        raise ReviewError("compile_error", f"{source.path.name} is not UTF-8 text: {error}") from error

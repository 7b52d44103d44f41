"""The text files of a data source.

What is read: regular files that are UTF-8 text, each content once. Left out: files that are empty, binary (not UTF-8,
or with a NUL byte) or unreadable, links, and folders whose name begins with a dot. Of the standard library only Python
source counts, without its test suites, whose odd encodings and generated tables are no good text.

Which texts are held out: of a folder those whose digest says so, of the standard library those of the modules that
candidate code cannot read (held_out_library.py). What every candidate can read is refused as a folder of text.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asi_kernels.held_out_library import is_held_out, library_folder
from asi_kernels.sandbox.plan import runtime_paths

from .split import shard_of, shard_of_held_out

_STDLIB_SKIPPED = frozenset(
    {"site-packages", "dist-packages", "test", "tests", "idle_test", "lib-dynload", "__pycache__"}
)
_LARGEST_FILE_BYTES = 64 << 20
_LARGEST_SOURCE_BYTES = 1 << 30


class SourceError(Exception):
    """A data source that cannot be used. `field` is the part of the source at fault."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class TextFile:
    """One text, the SHA-256 of its bytes, and the part of the split it belongs to: a shard, or None for training."""

    digest: bytes
    content: bytes
    shard: str | None


def read_source(source: dict[str, Any]) -> list[TextFile]:
    """Texts in the order of their digests, so that names and places do not matter. Raises SourceError."""
    if source["kind"] == "stdlib":
        root = library_folder()
        if not root.is_dir():
            raise SourceError("kind", f'"stdlib" has no source at {root}; give a folder instead')
        paths = [path for path in _walk(root, _STDLIB_SKIPPED) if path.suffix == ".py"]
        hidden = [path for path in paths if is_held_out(path.relative_to(root))]
        held_out = _distinct_texts(hidden)
        # A text that stands in both parts is readable, so that it trains.
        training = _distinct_texts(path for path in paths if path not in frozenset(hidden))
        return _ordered(
            {digest: (content, shard_of_held_out(digest)) for digest, content in held_out.items()}
            | {digest: (content, None) for digest, content in training.items()}
        )
    root = _folder(source["path"])
    texts = _distinct_texts(_walk(root, frozenset()))
    if not texts:
        raise SourceError("path", f'"{root}" holds no readable UTF-8 text file; give a folder that holds some')
    return _ordered({digest: (content, shard_of(digest)) for digest, content in texts.items()})


def _ordered(texts: dict[bytes, tuple[bytes, str | None]]) -> list[TextFile]:
    return [TextFile(digest, *texts[digest]) for digest in sorted(texts)]


def _folder(value: str) -> Path:
    path = Path(value)
    if not path.is_absolute():
        raise SourceError("path", f'"{value}" is not absolute; give the whole path of the folder')
    if not path.exists():
        raise SourceError("path", f'"{value}" does not exist; give a folder that holds UTF-8 text files')
    if not path.is_dir():
        raise SourceError("path", f'"{value}" is not a folder; give the folder that holds the text files')
    resolved = path.resolve()
    for shown in runtime_paths():
        if resolved.is_relative_to(Path(shown).resolve()):
            raise SourceError(
                "path",
                f'"{value}" lies in {shown}, which every candidate can read with its held-out text in it; copy the'
                f" folder to another place and give that",
            )
    if not os.access(path, os.R_OK | os.X_OK):
        raise SourceError("path", f'"{value}" cannot be read by this user; allow reading it or give another folder')
    return path


def _walk(root: Path, skipped: frozenset[str]) -> Iterator[Path]:
    for folder, folders, files in os.walk(root, followlinks=False):
        folders[:] = [name for name in folders if name not in skipped and not name.startswith(".")]
        for name in files:
            yield Path(folder, name)


def _distinct_texts(paths: Iterable[Path]) -> dict[bytes, bytes]:
    """Contents by their digests."""
    texts: dict[bytes, bytes] = {}
    total = 0
    for path in paths:
        content = _text(path)
        if content is None:
            continue
        digest = hashlib.sha256(content).digest()
        if digest not in texts:
            total += len(content)
            texts[digest] = content
        if total > _LARGEST_SOURCE_BYTES:
            raise SourceError(
                "path", f"the folder holds more than {_LARGEST_SOURCE_BYTES:,} bytes of text; give a part of it"
            )
    return texts


def _text(path: Path) -> bytes | None:
    """Bytes of a text file, or None for anything that is not one."""
    try:
        # Neither follows a link nor waits for a pipe.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with open(descriptor, "rb") as file:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode) or not 0 < facts.st_size <= _LARGEST_FILE_BYTES:
            return None
        try:
            content = file.read()
        except OSError:
            return None
    if b"\0" in content:
        return None
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return content or None

"""The `prepare` command: reads a data source, splits it by file and keeps the split under a folder named by its hash.

The split: a text whose SHA-256, read as a number, is divisible by ten is held out. It depends on the content alone, so
adding or renaming files moves no other file across. Files are joined with a NUL byte between them, which no text holds.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

from asi_kernels.commands import Report
from asi_kernels.requests import schema_problem

from .sources import SourceError, TextFile, read_source
from .split import HELD_OUT_NAME, TRAIN_NAME, is_held_out

_SPLIT_RULE = b"asi-arch split 1: held out when sha256 mod 10 = 0, NUL between files"
_MANIFEST_NAME = "manifest.json"
_SEPARATOR = b"\0"


def run(request: dict[str, Any], workdir: Path, report: Report) -> dict[str, Any]:
    """prepareRequest to prepareResult. A source that cannot be used is a refusal; nothing is left in the cache then."""
    del workdir, report
    try:
        return {"status": "ok", "manifest": _prepare(request)}
    except SourceError as error:
        return {"status": "refused", "field": error.field, "message": str(error)}


def _prepare(request: dict[str, Any]) -> dict[str, Any]:
    texts = read_source(request["source"])
    held_out = [text for text in texts if is_held_out(text.digest)]
    train = [text for text in texts if not is_held_out(text.digest)]
    splits = {TRAIN_NAME: _join(train), HELD_OUT_NAME: _join(held_out)}
    _require_enough(request, splits, len(texts))
    digest = hashlib.sha256(_SPLIT_RULE)
    for content in splits.values():
        digest.update(len(content).to_bytes(8, "little"))
        digest.update(content)
    folder = Path(request["cacheFolder"]).absolute() / digest.hexdigest()
    manifest = {
        "source": request["source"],
        "hash": digest.hexdigest(),
        "trainBytes": len(splits[TRAIN_NAME]),
        "heldOutBytes": len(splits[HELD_OUT_NAME]),
        "trainFiles": len(train),
        "heldOutFiles": len(held_out),
        "folder": str(folder),
    }
    try:
        if not _is_whole(folder, splits):
            _build(folder, splits, manifest)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        remedy = "free some space" if full else "give a folder that this user may write to"
        raise SourceError(
            "cacheFolder", f'"{request["cacheFolder"]}" cannot take the prepared text ({error.strerror}); {remedy}'
        ) from error
    return manifest


def _join(texts: list[TextFile]) -> bytes:
    return _SEPARATOR.join(text.content for text in texts)


def _require_enough(request: dict[str, Any], splits: dict[str, bytes], num_files: int) -> None:
    source = request["source"]
    field = "path" if source["kind"] == "folder" else "kind"
    value = f'"{source["path"]}"' if source["kind"] == "folder" else '"stdlib"'
    for name, key, side in (
        (TRAIN_NAME, "minimumTrainBytes", "training"),
        (HELD_OUT_NAME, "minimumHeldOutBytes", "held-out"),
    ):
        # A side with no text at all is too small for any use.
        needed = max(1, request[key])
        if len(splits[name]) < needed:
            raise SourceError(
                field,
                f"{value} gives {len(splits[name]):,} bytes of {side} text from {num_files:,} files, and {needed:,} are"
                f" needed; add text (one file in ten is held out, so many files are better than one large one)",
            )


def _is_whole(folder: Path, splits: dict[str, bytes]) -> bool:
    """Whether the cached folder holds these very bytes: a disk may have lost or changed what once was written."""
    try:
        manifest = json.loads((folder / _MANIFEST_NAME).read_bytes())
        return schema_problem("data-manifest", manifest) is None and all(
            (folder / name).read_bytes() == content for name, content in splits.items()
        )
    except (FileNotFoundError, ValueError):
        return False


def _build(folder: Path, splits: dict[str, bytes], manifest: dict[str, Any]) -> None:
    """Writes aside and renames, so that the name stands for a whole folder only."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    try:
        for name, content in {**splits, _MANIFEST_NAME: json.dumps(manifest, indent=2).encode()}.items():
            with open(aside / name, "wb") as file:
                file.write(content)
                os.fsync(file.fileno())
        if folder.exists():  # damaged, or of another process since we looked
            os.replace(folder, aside / "replaced")
        os.rename(aside, folder)
        shutil.rmtree(folder / "replaced", ignore_errors=True)
    except FileExistsError:
        # Another process finished the same folder first; its bytes are the same by name.
        shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        with contextlib.suppress(OSError):
            shutil.rmtree(aside)
        if error.errno != errno.ENOTEMPTY:
            raise

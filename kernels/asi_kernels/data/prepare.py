"""The `prepare` command: reads a data source, splits it by file and keeps the parts under folders named by their hash.

The split of a folder: of a text's SHA-256, read as a number, the remainder by a hundred says whether it trains (85 of
100) or belongs to one of the three held-out shards (5 each). It depends on the content alone, so adding or renaming
files moves no other file across. The split of the standard library: what a sandbox hides is held out, a third for each
shard by its SHA-256; the rest trains. Files are joined with a NUL byte between them, which no text holds. Training text
goes to the data folder; held-out text to the judge's folder and nowhere else, so that no process that trains or answers
can be given it.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from asi_kernels.commands import Report
from asi_kernels.judge.home import DATA_NAME, give_to_judge, make_folder
from asi_kernels.requests import schema_problem

from .sources import SourceError, TextFile, read_source
from .split import SHARDS, TRAIN_NAME, shard_name

_SPLIT_RULE = (
    b"asi-arch split 3: sha256 mod 100 // 5 = 0, 1, 2 is search, promotion, champion; of the standard library hidden"
    b" modules, sha256 mod 3; NUL between files"
)
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
    parts: dict[str | None, list[TextFile]] = {part: [] for part in (None, *SHARDS)}
    for text in texts:
        parts[text.shard].append(text)
    train, shards = _join(parts[None]), {shard: _join(parts[shard]) for shard in SHARDS}
    _require_enough(request, {"training": train, **shards}, len(texts))
    digest = hashlib.sha256(_SPLIT_RULE)
    for content in (train, *shards.values()):
        digest.update(len(content).to_bytes(8, "little"))
        digest.update(content)
    name = digest.hexdigest()
    folder = Path(request["cacheFolder"]).absolute() / name
    manifest = {
        "source": request["source"],
        "hash": name,
        "trainBytes": len(train),
        "heldOutBytes": sum(map(len, shards.values())),
        "trainFiles": len(parts[None]),
        "heldOutFiles": sum(len(parts[shard]) for shard in SHARDS),
        "shards": {shard: {"bytes": len(shards[shard]), "files": len(parts[shard])} for shard in SHARDS},
        "folder": str(folder),
    }
    with _refusing("cacheFolder", request):
        if not _is_whole(folder, {TRAIN_NAME: train}):
            _build(folder, {TRAIN_NAME: train}, manifest)
    judge_folder = Path(request["judgeFolder"]).absolute()
    with _refusing("judgeFolder", request):
        make_folder(judge_folder)
        make_folder(judge_folder / DATA_NAME)
        held_out = {shard_name(shard): content for shard, content in shards.items()}
        if not _is_whole(judge_folder / DATA_NAME / name, held_out):
            _build(judge_folder / DATA_NAME / name, held_out, manifest, for_judge=True)
    return manifest


@contextlib.contextmanager
def _refusing(field: str, request: dict[str, Any]) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        remedy = "free some space" if full else "give a folder that this user may write to"
        raise SourceError(
            field, f'"{request[field]}" cannot take the prepared text ({error.strerror}); {remedy}'
        ) from error


def _join(texts: list[TextFile]) -> bytes:
    return _SEPARATOR.join(text.content for text in texts)


def _require_enough(request: dict[str, Any], parts: dict[str, bytes], num_files: int) -> None:
    source = request["source"]
    field = "path" if source["kind"] == "folder" else "kind"
    value = f'"{source["path"]}"' if source["kind"] == "folder" else '"stdlib"'
    for part, content in parts.items():
        is_training = part == "training"
        # A part with no text at all is too small for any use.
        needed = max(1, request["minimumTrainBytes" if is_training else "minimumHeldOutBytes"])
        if len(content) < needed:
            what = "training text" if is_training else f"held-out text for the {part} shard"
            raise SourceError(
                field,
                f"{value} gives {len(content):,} bytes of {what} from {num_files:,} files, and {needed:,} are needed;"
                f" add text (of a hundred files five go to each of the three held-out shards, so many files are better"
                f" than one large one)",
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


def _build(folder: Path, splits: dict[str, bytes], manifest: dict[str, Any], *, for_judge: bool = False) -> None:
    """Writes aside and renames, so that the name stands for a whole folder only."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(mode=0o700 if for_judge else 0o777)
    try:
        for name, content in {**splits, _MANIFEST_NAME: json.dumps(manifest, indent=2).encode()}.items():
            with open(aside / name, "wb") as file:
                file.write(content)
                os.fsync(file.fileno())
            if for_judge:
                give_to_judge(aside / name)
        if for_judge:
            give_to_judge(aside)
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

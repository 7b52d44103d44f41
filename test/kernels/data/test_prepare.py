"""Prepared text: split by content, the same whatever the names, whole or absent in the cache, refused with a reason."""

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from asi_kernels.data import prepare
from asi_kernels.data.split import SHARDS, shard_of
from asi_kernels.held_out_library import hidden_paths, library_folder
from asi_kernels.judge.home import JUDGE_UID
from asi_kernels.requests import schema_problem
from asi_kernels.sandbox.plan import PACKAGE_FOLDER


def prepared(source: Path | dict[str, Any], cache: Path, train: int = 1, held_out: int = 1) -> dict[str, Any]:
    request = {
        "source": source if isinstance(source, dict) else {"kind": "folder", "path": str(source)},
        "cacheFolder": str(cache),
        "judgeFolder": str(judge_folder(cache)),
        "minimumTrainBytes": train,
        "minimumHeldOutBytes": held_out,
    }
    result = prepare.run(request, cache, lambda line: None)
    assert schema_problem("prepare-result", result) is None
    return result


def judge_folder(cache: Path) -> Path:
    return cache.with_name("judge")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "deep" / "er").mkdir(parents=True)
    for index in range(120):
        place = folder / "deep" / "er" if index % 3 else folder
        (place / f"{index}.txt").write_text(f"<{index}> text\n" * 5)
    return folder


def texts(manifest: dict[str, Any], name: str) -> list[bytes]:
    """Texts of train.bin, or of a shard in the judge's folder beside the cache."""
    folder = Path(manifest["folder"])
    if name != "train.bin":
        folder = judge_folder(folder.parent) / "data" / folder.name
    return (folder / name).read_bytes().split(b"\0")


def test_every_file_is_in_one_part_and_none_in_two(source: Path, tmp_path: Path) -> None:
    manifest = prepared(source, tmp_path / "cache")["manifest"]
    parts = {name: texts(manifest, name) for name in ("train.bin", *(f"{shard}.bin" for shard in SHARDS))}
    found = [text for part in parts.values() for text in part]
    assert sorted(found) == sorted(path.read_bytes() for path in source.rglob("*.txt"))
    assert manifest["trainFiles"] == len(parts["train.bin"])
    assert manifest["shards"] == {
        shard: {
            "files": len(parts[f"{shard}.bin"]),
            "bytes": len(b"\0".join(parts[f"{shard}.bin"])),
        }
        for shard in SHARDS
    }
    assert manifest["heldOutFiles"] == sum(shard["files"] for shard in manifest["shards"].values())


def test_five_texts_in_a_hundred_go_to_each_shard_by_their_digest_alone() -> None:
    digests = [hashlib.sha256(str(index).encode()).digest() for index in range(6000)]
    for shard in SHARDS:
        assert 240 < sum(shard_of(digest) == shard for digest in digests) < 360
    numbers = [(100 * 7 + part).to_bytes(32, "big") for part in (4, 5, 14, 15, 99)]
    assert list(map(shard_of, numbers)) == ["search", "promotion", "champion", None, None]


def test_held_out_text_is_in_the_judges_folder_alone_and_closed_to_others(source: Path, tmp_path: Path) -> None:
    manifest = prepared(source, tmp_path / "cache")["manifest"]
    assert sorted(os.listdir(manifest["folder"])) == ["manifest.json", "train.bin"]
    for folder in (judge_folder(tmp_path / "cache"), judge_folder(tmp_path / "cache") / "data" / manifest["hash"]):
        facts = folder.stat()
        assert facts.st_mode & 0o077 == 0
        assert facts.st_uid == (JUDGE_UID if os.geteuid() == 0 else os.geteuid())


def test_names_places_and_copies_change_nothing(source: Path, tmp_path: Path) -> None:
    first = prepared(source, tmp_path / "cache")["manifest"]
    (source / "0.txt").rename(source / "deep" / "renamed.md")
    shutil.copy(source / "3.txt", source / "copy.txt")
    again = prepared(source, tmp_path / "cache")["manifest"]
    assert again["hash"] == first["hash"]


def test_a_new_file_moves_no_other_across(source: Path, tmp_path: Path) -> None:
    before = set(texts(prepared(source, tmp_path / "cache")["manifest"], "search.bin"))
    for index in range(100):
        (source / f"new{index}.txt").write_text(f"fresh {index}")
    after = set(texts(prepared(source, tmp_path / "cache")["manifest"], "search.bin"))
    assert before < after


def test_only_text_is_read(source: Path, tmp_path: Path) -> None:
    first = prepared(source, tmp_path / "cache")["manifest"]
    (source / "picture.png").write_bytes(b"\x89PNG\xff\xfe")
    (source / "binary.txt").write_bytes(b"text with \0 inside")
    (source / "empty.txt").write_bytes(b"")
    (source / "link.txt").symlink_to("/etc/passwd")
    os.mkfifo(source / "pipe.txt")
    (source / ".git").mkdir()
    (source / ".git" / "config").write_text("hidden")
    assert prepared(source, tmp_path / "cache")["manifest"]["hash"] == first["hash"]


def test_a_second_run_takes_what_is_there(source: Path, tmp_path: Path) -> None:
    folder = Path(prepared(source, tmp_path / "cache")["manifest"]["folder"])
    before = (folder / "train.bin").stat()
    prepared(source, tmp_path / "cache")
    after = (folder / "train.bin").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert os.listdir(tmp_path / "cache") == [folder.name]


@pytest.mark.parametrize("damage", ["cut", "changed", "no manifest"])
def test_a_damaged_folder_is_built_again(source: Path, tmp_path: Path, damage: str) -> None:
    manifest = prepared(source, tmp_path / "cache")["manifest"]
    folder = Path(manifest["folder"])
    whole = (folder / "train.bin").read_bytes()
    match damage:
        case "cut":
            (folder / "train.bin").write_bytes(whole[:-1])
        case "changed":
            (folder / "train.bin").write_bytes(b"#" + whole[1:])
        case _:
            (folder / "manifest.json").unlink()
    prepared(source, tmp_path / "cache")
    assert (folder / "train.bin").read_bytes() == whole
    assert sorted(os.listdir(folder)) == ["manifest.json", "train.bin"]


def test_a_source_that_cannot_be_used_is_refused_with_field_value_and_remedy(source: Path, tmp_path: Path) -> None:
    cache, empty = tmp_path / "cache", tmp_path / "empty"
    empty.mkdir()
    cases = [
        (tmp_path / "nothing", 1, "does not exist; give a folder"),
        (source / "0.txt", 1, "is not a folder; give the folder"),
        (empty, 1, "no readable UTF-8 text file"),
        (Path("relative/folder"), 1, "is not absolute; give the whole path"),
        (source, 10**9, "1,000,000,000 are needed; add text"),
    ]
    for path, minimum, said in cases:
        result = prepared(path, cache, train=minimum)
        assert (result["status"], result["field"]) == ("refused", "path")
        assert said in result["message"]
        assert str(path) in result["message"]
    assert not cache.exists()
    assert not judge_folder(cache).exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_that_may_not_be_read_is_refused(source: Path, tmp_path: Path) -> None:
    source.chmod(0)
    try:
        assert "cannot be read" in prepared(source, tmp_path / "cache")["message"]
    finally:
        source.chmod(0o700)


def test_one_large_file_is_refused_for_want_of_held_out_text(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "book.txt").write_text("x" * 100_000)
    result = prepared(tmp_path / "one", tmp_path / "cache", held_out=0)
    assert result["status"] == "refused"
    assert "many files" in result["message"]


def test_a_cache_that_cannot_be_written_is_named(source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    result = prepared(source, tmp_path / "file" / "cache")
    assert (result["status"], result["field"]) == ("refused", "cacheFolder")
    assert str(tmp_path / "file") in result["message"]


def test_the_standard_library_is_enough_for_every_rung(tmp_path: Path) -> None:
    manifest = prepared({"kind": "stdlib"}, tmp_path)["manifest"]
    assert manifest["trainBytes"] > 5_000_000
    # Twice the evaluation windows of the largest rung, 256 of 257 bytes, so that seeds have windows of their own.
    assert min(shard["bytes"] for shard in manifest["shards"].values()) > 2 * 256 * 257


def test_of_the_standard_library_what_a_sandbox_hides_is_held_out_and_nothing_else(tmp_path: Path) -> None:
    manifest = prepared({"kind": "stdlib"}, tmp_path / "cache")["manifest"]
    library = library_folder()
    held_out = {text for shard in SHARDS for text in texts(manifest, f"{shard}.bin")}
    training = set(texts(manifest, "train.bin"))
    hidden = {
        path.read_bytes()
        for place in map(Path, hidden_paths())
        if place.is_relative_to(library) and "-packages" not in place.name
        for path in ([place] if place.suffix == ".py" else place.rglob("*.py"))
    }
    assert held_out <= hidden
    assert held_out.isdisjoint(training)
    assert (library / "typing.py").read_bytes() in training


def test_a_folder_that_every_candidate_can_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(PACKAGE_FOLDER)
    for path in (Path(PACKAGE_FOLDER) / "asi_kernels", library_folder() / "email", tmp_path / "link"):
        result = prepared(path, tmp_path / "cache")
        assert (result["status"], result["field"]) == ("refused", "path")
        assert f'"{path}" lies in' in result["message"]
        assert "copy the folder to another place" in result["message"]

"""Prepared text: split by content, the same whatever the names, whole or absent in the cache, refused with a reason."""

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from asi_kernels.data import prepare
from asi_kernels.data.split import is_held_out
from asi_kernels.requests import schema_problem


def prepared(source: Path | dict[str, Any], cache: Path, train: int = 1, held_out: int = 1) -> dict[str, Any]:
    request = {
        "source": source if isinstance(source, dict) else {"kind": "folder", "path": str(source)},
        "cacheFolder": str(cache),
        "minimumTrainBytes": train,
        "minimumHeldOutBytes": held_out,
    }
    result = prepare.run(request, cache, lambda line: None)
    assert schema_problem("prepare-result", result) is None
    return result


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "deep" / "er").mkdir(parents=True)
    for index in range(60):
        place = folder / "deep" / "er" if index % 3 else folder
        (place / f"{index}.txt").write_text(f"<{index}> text\n" * 5)
    return folder


def texts(manifest: dict[str, Any], name: str) -> list[bytes]:
    return (Path(manifest["folder"]) / name).read_bytes().split(b"\0")


def test_every_file_is_on_one_side_and_none_on_both(source: Path, tmp_path: Path) -> None:
    manifest = prepared(source, tmp_path / "cache")["manifest"]
    train, held_out = set(texts(manifest, "train.bin")), set(texts(manifest, "heldout.bin"))
    assert train | held_out == {path.read_bytes() for path in source.rglob("*.txt")}
    assert not train & held_out
    assert (len(train), len(held_out)) == (manifest["trainFiles"], manifest["heldOutFiles"])
    assert 1 <= len(held_out) <= 15


def test_one_text_in_ten_is_held_out_by_its_digest_alone() -> None:
    digests = [hashlib.sha256(str(index).encode()).digest() for index in range(3000)]
    assert 240 < sum(map(is_held_out, digests)) < 360
    assert is_held_out((20).to_bytes(32, "big"))
    assert not is_held_out((21).to_bytes(32, "big"))


def test_names_places_and_copies_change_nothing(source: Path, tmp_path: Path) -> None:
    first = prepared(source, tmp_path / "cache")["manifest"]
    (source / "0.txt").rename(source / "deep" / "renamed.md")
    shutil.copy(source / "3.txt", source / "copy.txt")
    again = prepared(source, tmp_path / "cache")["manifest"]
    assert again["hash"] == first["hash"]


def test_a_new_file_moves_no_other_across(source: Path, tmp_path: Path) -> None:
    before = set(texts(prepared(source, tmp_path / "cache")["manifest"], "heldout.bin"))
    for index in range(40):
        (source / f"new{index}.txt").write_text(f"fresh {index}")
    after = set(texts(prepared(source, tmp_path / "cache")["manifest"], "heldout.bin"))
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
    assert sorted(os.listdir(folder)) == ["heldout.bin", "manifest.json", "train.bin"]


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
    assert manifest["heldOutBytes"] > 300_000

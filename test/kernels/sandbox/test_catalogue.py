"""test/hostile/CATALOGUE.md says where each row of the catalogue is tested: complete, and nothing it names is gone."""

import re
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[3]
_TABLE = (_ROOT / "test" / "hostile" / "CATALOGUE.md").read_text()
# Rows of each kind in the catalogue of security; those of graphics processors and of language models are left out.
_KINDS = {"R": 16, "T": 11, "P": 10, "L": 14, "N": 12, "F": 18, "K": 8, "O": 20, "X": 10, "E": 36}
_LINE = re.compile(r"^\| ([A-Z]\d+) \| (.+?) \| (.+) \|$", re.MULTILINE)
# What a cell names: `path`, and behind a colon the names of tests in it.
_NAMED = re.compile(r'`(test/[\w./-]+)`(?:: ((?:"[^"]+"(?:, )?)+))?')
# A row without a test says in words why.
_WORDS = ("by construction", "not on CPU", "not here", "accepted risk", "no score is a time")


def _cells() -> dict[str, str]:
    return {row: cell for row, _, cell in _LINE.findall(_TABLE)}


def test_every_row_of_the_catalogue_is_there_once() -> None:
    rows = [row for row, _, _ in _LINE.findall(_TABLE)]
    wanted = {f"{kind}{number}" for kind, last in _KINDS.items() for number in range(1, last + 1)}
    assert wanted - set(rows) == set()
    assert len(rows) == len(set(rows))


def test_every_row_names_a_test_or_says_why_there_is_none() -> None:
    silent = [row for row, cell in _cells().items() if not _NAMED.search(cell) and not cell.startswith(_WORDS)]
    assert silent == []


@pytest.mark.parametrize(("row", "cell"), _cells().items())
def test_what_a_row_names_is_there(row: str, cell: str) -> None:
    for path, names in _NAMED.findall(cell):
        file = _ROOT / path
        assert file.is_file(), f"{row} names {path}, which is not there"
        text = file.read_text()
        gone = [name for name in re.findall(r'"([^"]+)"', names) if name not in text]
        assert gone == [], f"{row} names tests that {path} does not have"


@pytest.mark.parametrize("folder", ["test/hostile/programs", "test/cheats/programs"])
def test_every_program_stands_in_its_row(folder: str) -> None:
    cells = _cells()
    for path in sorted((_ROOT / folder).glob("*.py")):
        if path.stem.startswith("honest"):
            continue
        number = re.match(r"([a-z])(\d+)", path.stem)
        assert number, f"{path.name} does not begin with its row"
        row = f"{number[1].upper()}{int(number[2])}"
        assert f"`{folder}/{path.name}`" in cells.get(row, ""), f"{path.name} does not stand in row {row}"


def test_a_hostile_program_has_the_row_of_its_name() -> None:
    for path in (_ROOT / "test" / "hostile" / "programs").glob("*.py"):
        row = re.search(r"^# row: ([A-Z])(\d+)", path.read_text(), re.MULTILINE)
        assert row, path.name
        assert path.stem.startswith(f"{row[1].lower()}{int(row[2]):02}"), path.name

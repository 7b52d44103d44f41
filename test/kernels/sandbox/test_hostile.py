"""A few hostile programs of every kind in the strongest tier of this machine; all of them: npm run test:hostile."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

RUN = Path(__file__).parents[2] / "hostile" / "run.py"


def load_run() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hostile_run", RUN)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


run = load_run()


@pytest.fixture(scope="module")
def place() -> Iterator[Any]:
    try:
        opened = run.open_range("S2")
        place = opened.__enter__()
    except run.NoWall as error:
        pytest.skip(f"hostile programs are not let loose without a wall: {error}")
    print(f"hostile programs run in sandbox tier {place.host.facts['tier']}: {place.host.facts['missing']}")
    yield place
    good = place.good_job_label()
    opened.__exit__(None, None, None)
    assert good is None


@pytest.mark.parametrize("program", run.read_programs(run.SHORT), ids=lambda program: program.row)
def test_a_hostile_program_is_contained_and_labelled_or_a_known_miss_of_the_tier(place: Any, program: Any) -> None:
    outcome = place.attempt(program)
    assert run.unexpected([outcome], place.host.facts["tier"]) == [], outcome.why


def test_every_program_names_its_row_and_what_is_expected() -> None:
    programs = run.read_programs()
    assert len({program.row for program in programs}) == len(programs) >= 80
    assert all(program.expected and program.does for program in programs)
    assert set(run.SHORT) <= {program.row for program in programs}


def test_known_misses_are_rows_and_a_stronger_tier_has_no_more_of_them() -> None:
    rows = {program.row for program in run.read_programs()}
    assert all(set(run.known_misses(tier)) <= rows for tier in ("S2", "S1", "S0L"))
    counts = [len(run.known_misses(tier)) for tier in ("S2", "S1", "S0L")]
    assert counts == sorted(counts)
    assert counts[0] == 0

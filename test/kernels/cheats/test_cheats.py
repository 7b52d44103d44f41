"""A sample of the cheats of test/cheats: none gets a better score than the honest control. All of them over several
seeds: npm run test:cheats.
"""

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "cheats"))

import program_cheats
import sequence_cheats
import try_program

# One of each kind that reaches the judge: leaks, patches, memory, test-time training, forged answers.
SAMPLE = {
    "e01_patches_cross_entropy": None,
    "e06_lazy_result": "integrity",
    "e10_leaks_without_gradient": "integrity",
    "e15_remembers_sequences": None,
    "e16_trains_at_test_time": "integrity",
    "e23_hidden_weights": None,
    "e23_trained_at_birth": None,
    "e28_answers_for_fewer": "bad_result",
    "e40_answers_in_place_of_the_model": "integrity",
    "e41_remembers_its_answers": "integrity",
}


@pytest.mark.parametrize("name", sequence_cheats.PREDICTORS)
def test_the_prefix_score_of_a_sequence_cheat_is_that_of_the_honest_one(name: str) -> None:
    key = bytes(range(32))
    honest = sequence_cheats.measure("honest", 0, "champion", key)
    row = sequence_cheats.measure(name, 0, "champion", key)
    assert abs(row.official - honest.official) < 0.05
    assert (row.refused is None) or name not in sequence_cheats.HONEST
    if row.usual < sequence_cheats.FLOOR_NATS - 0.05:  # it saw what it was asked
        assert row.refused is not None


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], float]:
    """Folder, data manifest, and the control's official score."""
    folder = tmp_path_factory.mktemp("cheats")
    manifest = try_program.prepared(folder)
    control = try_program.score("honest", 0, manifest, folder, "promotion")
    assert control.label is None
    assert control.official is not None
    return folder, manifest, control.official


@pytest.mark.parametrize("name", SAMPLE)
def test_the_judge_alone_gives_a_cheating_program_no_better_score(
    name: str, prepared: tuple[Path, dict[str, Any], float]
) -> None:
    folder, manifest, control = prepared
    row = try_program.score(name, 0, manifest, folder, "promotion")
    assert row.label == SAMPLE[name]
    assert not program_cheats.is_better(row, control)


@pytest.mark.parametrize("name", [name for name in try_program.CONTROLS if name != "honest"])
def test_an_honest_program_is_scored(name: str, prepared: tuple[Path, dict[str, Any], float]) -> None:
    folder, manifest, _ = prepared
    row = try_program.score(name, 0, manifest, folder, "promotion")
    assert row.label is None
    assert row.official == pytest.approx(row.usual, abs=1e-4)

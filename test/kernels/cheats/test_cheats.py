"""A sample of the cheats of test/cheats: none gets a better score than the honest control. All of them over several
seeds: npm run test:cheats.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "cheats"))

import program_cheats
import sequence_cheats
import try_program

# One of each kind that reaches the judge: leaks, patches, memory, test-time training, forged answers.
SAMPLE: dict[str, tuple[str | None, ...]] = {
    "e01_patches_cross_entropy": (None,),
    "e06_lazy_result": (None,),
    "e10_leaks_without_gradient": ("integrity",),
    "e15_remembers_sequences": (None,),
    "e16_trains_at_test_time": ("integrity",),
    "e17_reads_held_out": (None,),
    "e23_hidden_weights": (None, "integrity"),  # by the step at which its gradients are looked at
    "e23_trained_at_birth": (None,),
    "e28_answers_for_fewer": (None,),
    "e40_answers_in_place_of_the_model": (None,),
    "e41_remembers_its_answers": ("integrity",),
    "e42_false_gradients_behind_a_dial": ("integrity",),
    "e43_false_gradients_unless_watched": ("integrity",),
    "e44_false_gradients_beside_hard_choices": ("integrity",),
    "e45_trained_through_torchscript": ("import_error",),
}
# What they patch is in another process; but for that they are the honest program.
WITHOUT_EFFECT = {
    "e01_patches_cross_entropy",
    "e06_lazy_result",
    "e17_reads_held_out",
    "e28_answers_for_fewer",
    "e40_answers_in_place_of_the_model",
}
# At steps drawn by lot: about one training in twenty-five of e44 gets through, and three in a row are one in 10,000.
CAUGHT_BY_LOT = {
    "e42_false_gradients_behind_a_dial",
    "e43_false_gradients_unless_watched",
    "e44_false_gradients_beside_hard_choices",
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
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[try_program.Course]:
    course = try_program.Course(tmp_path_factory.mktemp("cheats"))
    yield course
    course.close()


@pytest.fixture(scope="module")
def control(course: try_program.Course) -> float:
    """The honest program's official score."""
    row = course.score("honest", 0, "promotion")
    assert row.label is None
    assert row.official is not None
    return row.official


@pytest.mark.parametrize("name", SAMPLE)
def test_host_and_judge_alone_give_a_cheating_program_no_better_score(
    name: str, course: try_program.Course, control: float
) -> None:
    row = course.score(name, 0, "promotion")
    for seed in (1, 2):
        if row.label is None and name in CAUGHT_BY_LOT:
            row = course.score(name, seed, "promotion")
    assert row.label in SAMPLE[name]
    assert not program_cheats.is_better(row, control)
    if name in WITHOUT_EFFECT:
        assert row.official == control


def test_the_review_refuses_a_program_that_reads_through_torchscript(course: try_program.Course) -> None:
    assert course.refused_by("e45_trained_through_torchscript") == "contract"


@pytest.mark.parametrize("name", [name for name in try_program.CONTROLS if name != "honest"])
def test_an_honest_program_is_scored(name: str, course: try_program.Course) -> None:
    assert course.refused_by(name) is None
    row = course.score(name, 0, "promotion")
    assert row.label is None
    assert row.official == pytest.approx(row.usual, abs=1e-4)

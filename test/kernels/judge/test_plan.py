"""Cuts are secret, the same for all on one seed, and fair: each scored position of each row has the same chance."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asi_kernels.data import selective_copy
from asi_kernels.data.batch import IGNORED, Sequences
from asi_kernels.data.recall import held_out_sequences
from asi_kernels.judge import plan
from asi_kernels.judge.examine import used_snapshots
from asi_kernels.judge.plan import (
    DEPTHS,
    Depth,
    generated_seed,
    plan_calls,
    scored_positions,
    secret_stream,
    window_stream,
)

KEY = bytes(range(32))
RECALL = {"kind": "recall", "length": 32, "vocabulary": 32, "pairs": [2, 4], "evalSequences": 40}


def sequences(rows: int, length: int, scored: list[int]) -> Sequences:
    targets = np.full((rows, length), IGNORED)
    targets[:, scored] = 1
    return Sequences(np.zeros((rows, length), np.int64), targets)


def drawn(*names: object, key: bytes = KEY, snapshots: int = 2) -> list[tuple[int, int, tuple[int, ...]]]:
    calls = plan_calls(sequences(20, 30, list(range(30))), snapshots, Depth(8, 64), secret_stream(key, *names))
    return [(call.snapshot, call.cut, tuple(call.rows)) for call in calls]


def test_the_draw_depends_on_the_key_and_on_every_name() -> None:
    assert drawn("cuts", "search", "a", 1) == drawn("cuts", "search", "a", 1)
    others = [
        drawn("cuts", "search", "a", 1, key=bytes(32)),
        drawn("cuts", "promotion", "a", 1),
        drawn("cuts", "search", "b", 1),
        drawn("cuts", "search", "a", 2),
    ]
    assert all(other != drawn("cuts", "search", "a", 1) for other in others)


def test_cuts_rise_whatever_the_snapshot_so_that_memory_is_of_no_use() -> None:
    cuts = [cut for _, cut, _ in drawn("rise", snapshots=4)]
    assert cuts == sorted(cuts)


@pytest.mark.parametrize(("snapshots", "depth"), [(1, Depth(8, 64)), (3, Depth(5, 30)), (1, Depth(300, 65_000))])
def test_every_scored_position_of_every_row_has_the_same_chance(snapshots: int, depth: Depth) -> None:
    scored = [1, 2, 5, 8, 9, 11, 12, 15, 18, 19]
    counts = np.zeros((snapshots, 6, 20))
    stream, rounds = np.random.default_rng(1), 4000
    for _ in range(rounds):
        for call in plan_calls(sequences(6, 20, scored), snapshots, depth, stream):
            counts[call.snapshot, call.rows, call.cut] += 1
    assert counts[:, :, [place for place in range(20) if place not in scored]].sum() == 0
    inside = counts[:, :, scored] / counts.mean() / 2
    assert 0.9 < inside.min() <= inside.max() < 1.1


def test_calls_are_of_one_size_and_every_snapshot_has_as_many() -> None:
    calls = plan_calls(held_out_sequences(RECALL, 0), 5, DEPTHS["search"], secret_stream(KEY, "sizes"))
    assert len({len(call.rows) for call in calls}) == 1
    assert len({sum(call.snapshot == snapshot for call in calls) for snapshot in range(5)}) == 1
    assert all(len(set(call.rows)) == len(call.rows) for call in calls)


def test_the_ladder_has_its_depths_where_the_data_suffice() -> None:
    quick = sequences(128, 128, list(range(128)))
    for score_set, cuts, prefixes in (("search", 32, 256), ("promotion", 100, 2000), ("champion", 128, 16_384)):
        calls = plan_calls(quick, 1, DEPTHS[score_set], secret_stream(KEY, "ladder"))
        assert len({call.cut for call in calls}) == cuts
        assert sum(len(call.rows) for call in calls) >= prefixes
    long = plan_calls(sequences(256, 512, list(range(512))), 1, DEPTHS["champion"], secret_stream(KEY, "ladder"))
    assert len({call.cut for call in long}) == 300
    assert sum(len(call.rows) for call in long) > 64_000


RUNGS = json.loads((Path(plan.__file__).parent.parent / "schemas" / "rungs.json").read_text())


def prefixes_and_places(task: dict[str, Any], score_set: str) -> tuple[int, int]:
    """Prefixes that the plan asks for, and how many a task of this shape has in all its used snapshots."""
    count, length = task["evalSequences"], task["length"]
    match task["kind"]:
        case "bytes":  # every position of a window is scored
            held_out = sequences(count, length, list(range(length)))
        case "recall":
            held_out = held_out_sequences(task, 3)
        case _:
            held_out = selective_copy.held_out_sequences(task, 3)
    snapshots = len(used_snapshots(task))
    calls = plan_calls(held_out, snapshots, DEPTHS[score_set], secret_stream(KEY, "depth"))
    return sum(len(call.rows) for call in calls), len(scored_positions(held_out)) * count * snapshots


@pytest.mark.parametrize("rung", RUNGS)
def test_promotion_has_four_thousand_prefixes_of_a_trial_that_has_as_many(rung: str) -> None:
    counts = [prefixes_and_places(task, "promotion") for task in RUNGS[rung]["tasks"]]
    asked, places = (sum(column) for column in zip(*counts, strict=True))
    assert asked >= min(4000, places)


def test_tiny_is_so_small_that_every_set_asks_all_of_it() -> None:
    for task in RUNGS["tiny"]["tasks"]:
        for score_set in DEPTHS:
            asked, places = prefixes_and_places(task, score_set)
            assert asked == places <= 256, (task["kind"], score_set)


def test_recall_is_cut_where_it_is_scored() -> None:
    held_out = held_out_sequences(RECALL, 0)
    places = scored_positions(held_out)
    assert len(places) == 12
    assert (held_out.targets[:, places] != IGNORED).all()


def test_generated_tasks_have_public_seeds_for_the_search_and_secret_ones_else() -> None:
    assert generated_seed(KEY, "search", "quick", RECALL, 10001) == 10001
    secret = {
        generated_seed(key, score_set, "quick", RECALL, seed)
        for key in (KEY, bytes(32))
        for score_set in ("promotion", "champion")
        for seed in (1, 2)
    }
    assert len(secret) == 8
    assert all(0 <= seed < 2**63 for seed in secret)


def test_windows_of_the_search_are_public_and_those_of_other_sets_secret() -> None:
    def draw(key: bytes, score_set: str, seed: int) -> int:
        return int(window_stream(key, score_set, "d" * 64, "quick", "bytes", seed).integers(2**62))

    assert draw(KEY, "search", 0) == draw(bytes(32), "search", 0)
    assert draw(KEY, "search", 0) != draw(KEY, "search", 1)
    for score_set in ("promotion", "champion"):
        assert draw(KEY, score_set, 0) == draw(KEY, score_set, 0)
        assert draw(KEY, score_set, 0) != draw(bytes(32), score_set, 0)

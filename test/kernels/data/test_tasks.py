"""Batches are fixed by seed and step, training and held-out never share a draw, and each task asks what it says."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from asi_kernels.data import recall, selective_copy, text_windows
from asi_kernels.data.batch import IGNORED, Batch
from asi_kernels.data.streams import stream
from asi_kernels.data.task_data import held_out_sequences, training_data

RECALL = {
    "kind": "recall",
    "length": 32,
    "vocabulary": 32,
    "pairs": [2, 4],
    "batch": 8,
    "evalSequences": 9,
    "steps": 100,
}
COPY = {"kind": "copy", "length": 40, "vocabulary": 18, "tokens": 6, "batch": 8, "evalSequences": 9, "steps": 100}
BYTES = {"kind": "bytes", "length": 24, "batch": 8, "evalSequences": 9, "steps": 100}


TEXT = np.frombuffer(bytes(range(256)) * 4, dtype=np.uint8)


def equal(first: Batch, second: Batch) -> bool:
    return torch.equal(first.inputs, second.inputs) and torch.equal(first.targets, second.targets)


@pytest.mark.parametrize("task", [RECALL, COPY, BYTES], ids=lambda task: task["kind"])
def test_a_step_is_the_same_in_any_order_and_differs_by_seed_and_step(
    task: dict[str, Any], text_manifest: dict[str, Any]
) -> None:
    folder = text_manifest["folder"]
    forward = [training_data(task, 3, folder)(step) for step in range(5)]
    again = training_data(task, 3, folder)
    assert all(equal(again(step), forward[step]) for step in (4, 0, 2))
    assert not equal(forward[0], forward[1])
    assert not equal(forward[0], training_data(task, 4, folder)(0))
    assert forward[0].inputs.shape == forward[0].targets.shape == (task["batch"], task["length"])
    assert forward[0].inputs.dtype == torch.int64


def places(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("task", [RECALL, COPY], ids=lambda task: task["kind"])
def test_no_held_out_sequence_was_ever_trained_on(task: dict[str, Any], text_manifest: dict[str, Any]) -> None:
    held_out = {tuple(row.tolist()) for row in held_out_sequences(task, 0, TEXT, places()).inputs}
    batch_of = training_data(task, 0, text_manifest["folder"])
    trained = {tuple(row.tolist()) for step in range(100) for row in batch_of(step).inputs}
    assert len(held_out) == 9
    assert not held_out & trained


@pytest.mark.parametrize("module", [recall, selective_copy], ids=["recall", "copy"])
def test_training_and_held_out_draw_from_streams_of_their_own(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(module, "stream", lambda *key: asked.append(key[2]) or stream(*key))
    task = RECALL if module is recall else COPY
    module.training_batch(task, 0, 5)
    module.held_out_sequences(task, 0)
    assert asked == ["train", "held-out"]


def test_streams_of_other_names_purposes_and_steps_differ() -> None:
    keys = [(0, "bytes", "train", 0), (0, "bytes", "train", 1), (0, "bytes", "held-out", 0), (0, "copy", "train", 0)]
    draws = {stream(*key).integers(2**62) for key in [*keys, (1, "bytes", "train", 0)]}
    assert len(draws) == 5
    with pytest.raises(ValueError, match="purpose"):
        stream(0, "bytes", "test")


def test_windows_predict_the_next_byte_of_their_own_text(text_manifest: dict[str, Any]) -> None:
    train = text_windows.open_text(text_manifest["folder"], "train.bin")
    for text, batch in (
        (train, training_data(BYTES, 0, text_manifest["folder"])(0)),
        (TEXT, held_out_sequences(BYTES, 0, TEXT, places())),
    ):
        for inputs, targets in zip(batch.inputs, batch.targets, strict=True):
            window = bytes(inputs.tolist()) + bytes(targets[-1:].tolist())
            assert window[1:] == bytes(targets.tolist())
            assert window in bytes(text)


def test_held_out_windows_are_fixed_by_the_places_that_are_drawn_and_by_no_public_seed() -> None:
    few = {**BYTES, "evalSequences": 4}
    windows = held_out_sequences(few, 0, TEXT, places(1))
    assert equal(held_out_sequences(few, 7, TEXT, places(1)).batch(), windows.batch())
    assert not equal(held_out_sequences(few, 0, TEXT, places(2)).batch(), windows.batch())


def test_held_out_windows_reach_every_byte_in_the_long_run() -> None:
    text = np.arange(200, dtype=np.int64)
    reached = {
        int(value)
        for seed in range(3000)
        for window in [text_windows.held_out_windows(text, {**BYTES, "evalSequences": 1}, places(seed))]
        for value in (*window.inputs.flatten(), *window.targets.flatten())
    }
    assert reached == set(range(200))


@given(st.integers(25, 1000))
def test_no_held_out_window_shows_what_another_is_asked(size: int) -> None:
    text = np.arange(size, dtype=np.int64)  # each place has a value of its own
    windows = text_windows.held_out_windows(text, {**BYTES, "evalSequences": 1000}, places(size))
    # Where the first window begins is drawn too, which may cost one of them.
    assert size // 25 - 1 <= len(windows.inputs) <= size // 25
    assert len(windows.inputs) >= 1
    assert len(np.unique(windows.targets)) == windows.targets.size


def test_text_shorter_than_a_window_is_refused() -> None:
    with pytest.raises(ValueError, match=r"24 bytes.* needs 25"):
        text_windows.held_out_windows(np.zeros(24, np.uint8), BYTES, places())


@given(
    st.integers(0, 2**31), st.integers(0, 99), st.sampled_from([(16, 16, [2]), (33, 20, [1, 3, 5]), (64, 64, [4, 16])])
)
def test_recall_asks_for_the_value_that_came_with_the_key(
    seed: int, step: int, shape: tuple[int, int, list[int]]
) -> None:
    length, vocabulary, pairs = shape
    task = {**RECALL, "length": length, "vocabulary": vocabulary, "pairs": pairs}
    batch = recall.training_batch(task, seed, step)
    for inputs, targets in zip(batch.inputs.tolist(), batch.targets.tolist(), strict=True):
        told: dict[int, int] = {}
        for key, value, asked in zip(inputs[::2], inputs[1::2], targets[::2], strict=False):
            assert key < vocabulary // 2 <= value < vocabulary
            assert asked == told.get(key, IGNORED)
            assert told.setdefault(key, value) == value
        assert all(target == IGNORED for target in targets[1::2])
        assert len(told) in pairs


def test_recall_asks_every_pair_about_equally_often() -> None:
    batch = recall.held_out_sequences({**RECALL, "evalSequences": 50}, 0)
    for inputs, targets in zip(batch.inputs.tolist(), batch.targets.tolist(), strict=True):
        asked = [key for key, target in zip(inputs, targets, strict=True) if target != IGNORED]
        counts = [asked.count(key) for key in set(asked)]
        assert len(counts) == 4
        assert max(counts) - min(counts) <= 1


def test_the_largest_number_of_pairs_comes_in_after_thirty_per_cent() -> None:
    assert recall.open_pairs(RECALL, 29) == [2]
    assert recall.open_pairs(RECALL, 30) == [2, 4]
    assert recall.open_pairs({**RECALL, "pairs": [3]}, 0) == [3]


def test_a_recall_task_that_cannot_hold_its_pairs_is_refused() -> None:
    with pytest.raises(ValueError, match="recall with 16 pairs needs"):
        recall.held_out_sequences({**RECALL, "pairs": [16]}, 0)


@given(st.integers(0, 2**31))
def test_copying_asks_for_the_scattered_symbols_in_order(seed: int) -> None:
    batch = selective_copy.training_batch(COPY, seed, 0)
    for inputs, targets in zip(batch.inputs.tolist(), batch.targets.tolist(), strict=True):
        symbols = [value for value in inputs[:34] if value != 0]
        assert len(symbols) == 6
        assert min(symbols) >= 2
        assert targets == [IGNORED] * 34 + symbols
        assert inputs[34:] == [1, *symbols[:-1]]

"""At which steps a trial keeps a snapshot of its weights; known to trainer and judge alike."""

from __future__ import annotations

from typing import Any

EARLY_STEP = 1
"""One optimiser step at the foot of the warm-up: the weights are still the initial ones, near enough."""
# A model with more tensors than were counted is still read, so that the refusal can tell both numbers.
_SPARE_ENTRIES = 1_000
# Where a record of an older version does not tell how many tensors a model has.
_MOST_TENSORS = 2_000


def snapshot_steps(task: dict[str, Any]) -> list[int]:
    """Steps done at each snapshot: evenly spaced, the last step among them; fewer where there are fewer steps.

    Of bytes one more, after the first step: it shows that a training began at its own initial weights.
    """
    count = task["snapshots"]
    steps = {max(1, round(task["steps"] * (index + 1) / count)) for index in range(count)}
    return sorted(steps | {EARLY_STEP}) if task["kind"] == "bytes" else sorted(steps)


def most_entries(request: dict[str, Any]) -> int:
    """How many tensors the file of a trial's snapshots may have, by a trainRequest or an answerRequest alone."""
    tensors = {size["task"]: size["layout"]["tensors"] for size in request["sizes"] if "layout" in size}
    return _SPARE_ENTRIES + sum(
        len(snapshot_steps(task)) * tensors.get(task["kind"], _MOST_TENSORS) for task in request["rung"]["tasks"]
    )

"""At which steps a trial keeps a snapshot of its weights; known to trainer and judge alike."""

from __future__ import annotations

from typing import Any

EARLY_STEP = 1
"""One optimiser step at the foot of the warm-up: the weights are still the initial ones, near enough."""


def snapshot_steps(task: dict[str, Any]) -> list[int]:
    """Steps done at each snapshot: evenly spaced, the last step among them; fewer where there are fewer steps.

    Of bytes one more, after the first step: it shows that a training began at its own initial weights.
    """
    count = task["snapshots"]
    steps = {max(1, round(task["steps"] * (index + 1) / count)) for index in range(count)}
    return sorted(steps | {EARLY_STEP}) if task["kind"] == "bytes" else sorted(steps)

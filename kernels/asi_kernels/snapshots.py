"""At which steps a trial keeps a snapshot of its weights; known to trainer and judge alike."""

from __future__ import annotations

from typing import Any


def snapshot_steps(task: dict[str, Any]) -> list[int]:
    """Steps done at each snapshot: evenly spaced, the last step among them; fewer where there are fewer steps."""
    count = task["snapshots"]
    return sorted({max(1, round(task["steps"] * (index + 1) / count)) for index in range(count)})

"""What a judge may ask of a rung: no rows beyond the held-out sequences of a task, and no tokens beyond their length.

Whole sequences are asked for in pieces and prefixes in calls (judge/examine.py, judge/plan.py), both of distinct rows.
"""

from __future__ import annotations

from typing import Any

from asi_kernels.judge.wire import ChannelError, Question
from asi_kernels.snapshots import snapshot_steps

from .fixed_logits import FIXED_POSITIONS


def most_positions(task: dict[str, Any]) -> int:
    """Rows times tokens of the largest input that the model of a task is given: a question, or the fixed input."""
    return max(task["evalSequences"] * task["length"], FIXED_POSITIONS)


def require_answerable(question: Question, tasks: list[dict[str, Any]]) -> None:
    """Raises ChannelError (infra) for a question that no judge asks of the tasks of a rung."""
    if question.task >= len(tasks):
        raise ChannelError(
            "infra", f"the judge asks about task {question.task}; the rung has tasks 0 to {len(tasks) - 1}"
        )
    task, (rows, length) = tasks[question.task], question.tokens.shape
    last = len(snapshot_steps(task)) - 1
    if question.snapshot > last:
        raise ChannelError(
            "infra", f"the judge asks about snapshot {question.snapshot} of task {task['kind']}; it has 0 to {last}"
        )
    if not (1 <= rows <= task["evalSequences"] and 1 <= length <= task["length"]):
        raise ChannelError(
            "infra",
            f"the judge asks for {rows} rows of {length} tokens of task {task['kind']}; the rung has 1 to "
            f"{task['evalSequences']} rows of 1 to {task['length']} tokens",
        )

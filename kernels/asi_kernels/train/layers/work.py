"""What the mixers of a task are asked for, and how much of it at once: the steps of a training, or answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Work:
    """is_training: the mixers are in training mode, what they compute has gradients, and they read what the optimiser
    has made of the weights before each pass. Otherwise they have the tensors that were loaded last, and no gradients.
    most_positions: rows times tokens of the largest x.
    layers_at_once: how many layers have activations of their own: in training each, since their backward passes come
    later; in answering all share those of one, since x has been used up when the next layer is asked.
    """

    is_training: bool
    most_positions: int
    layers_at_once: int


def training(task: dict[str, Any]) -> Work:
    """The steps of a task of a rung: every x is a batch."""
    return Work(is_training=True, most_positions=task["batch"] * task["length"], layers_at_once=task["layers"])


def answering(most_positions: int) -> Work:
    """Questions of up to so many rows times tokens."""
    return Work(is_training=False, most_positions=most_positions, layers_at_once=1)

"""Whether gradients are those of a value, by central differences along directions drawn by lot.

Serves the gate `gradient`, on a mixer alone, and the trainer, on a whole model whose layers compute elsewhere.

Tensors are looked at a few together, in an order drawn by lot: large ones early, so that no crowd of small ones stands
before them. Each is moved as far as its own gradient says that it takes for the same small change of the value, so that
no tensor that moves the value a lot covers for the others, and no few numbers of a tensor for the rest of it. One whose
own rounding is too coarse for that is looked at alone. Together they are looked at along the same direction at another
size too: arithmetic in half precision has stairs.

Where several are off at both sizes, they are looked at one by one, and more together again with each that is explained.
One that is off in proportion is false. One at which the value jumps, for a hard choice behind it, is set aside, and
what is left is looked at without it. At last one of those set aside, or as many as the passes allow, are looked at row
by row (`gradient_looks.py`). When the passes end before the tensors do, the rest stays unseen, and it was the lot that
chose it: nothing is hidden for sure among tensors that jump.

Does not cover tensors that hardly move the value; nor a false gradient of what lies before hard choices so many that
some tip at every look, rows included, however small they are: it cannot be told from an honest one there.
"""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch

from .finite_differences import Moved, Mover
from .gradient_looks import LIMIT, Looker, Outcome


class Mismatch(NamedTuple):
    """A tensor whose gradient is not that of the value: what it leaves unexplained (median), over so many looks."""

    name: str
    share: float
    num_looks: int


class Finding(NamedTuple):
    """The largest share that a group or a tensor left unexplained at its best size, and the mismatch where one is sure;
    of how many tensors jumps let nothing be said, and how many were not looked at before the passes ended.
    """

    share: float
    mismatch: Mismatch | None
    num_jumped: int = 0
    num_unseen: int = 0


@torch.no_grad()
def hold_against(
    moved: Sequence[Moved],
    value: Callable[[], float],
    *,
    least_change: float,
    lot: random.Random,
    most_together: int,
    most_passes: int,
) -> Finding:
    """Gradients must be finite. `least_change`: the least change of the value that stands well above its rounding;
    smaller ones say nothing. `most_together`: tensors of a group. `most_passes`: no tensor is begun with once `value`
    was asked so often; one that was begun with is looked at to the end, and rows of one that jumped in any case.

    `value` is asked with the tensors moved in place; they are put back bit by bit, whatever it raises.
    """
    moved = [entry for entry in moved if entry.tensor.numel() > 0]
    mover = Mover(moved, value)
    try:
        return _Search(moved, mover, Looker(mover, least_change, lot), lot).finding(most_together, most_passes)
    finally:
        mover.put_back()


class _Search:
    def __init__(self, moved: Sequence[Moved], mover: Mover, looker: Looker, lot: random.Random) -> None:
        self._moved = moved
        self._mover = mover
        self._looker = looker
        self._waiting = _order([entry.tensor.numel() * entry.doubt for entry in moved], lot)
        self._coarse = {index for index in self._waiting if looker.is_coarse(index)}
        self._jumped: dict[int, int] = {}  # by how many looks
        self._largest = 0.0

    def finding(self, most_together: int, most_passes: int) -> Finding:
        together = most_together
        num_clear = 0  # looks in a row that were explained at once
        while self._waiting and self._mover.num_passes < most_passes:
            group, before = self._next(together), self._mover.num_passes
            if len(group) > 1:
                share = self._looker.unexplained_share(group)
                self._largest = max(self._largest, share)
                if share > LIMIT:
                    together, num_clear = 1, 0
                    continue
            else:
                outcome, shares = self._looker.judge(group[0])
                self._largest = max(self._largest, statistics.median(shares))
                if outcome is Outcome.OFF:
                    return self._found(group[0], shares)
                if outcome is Outcome.JUMPED:
                    self._jumped[group[0]] = len(shares)
            num_clear = num_clear + 1 if self._mover.num_passes - before == 2 else 0
            if num_clear == 2:
                together, num_clear = min(most_together, 2 * together), 0
            self._waiting = [index for index in self._waiting if index not in group]
        # First what was off in proportion before it jumped.
        for place, index in enumerate(sorted(self._jumped, key=lambda index: -self._jumped[index])):
            if place > 0 and self._mover.num_passes >= most_passes:
                break
            outcome, shares = self._looker.judge_rows(index)
            if outcome is Outcome.OFF:
                return self._found(index, shares)
        return self._found(None, [])

    def _next(self, together: int) -> list[int]:
        """The next tensors in the order; a coarse one alone."""
        if self._waiting[0] in self._coarse:
            return self._waiting[:1]
        return [index for index in self._waiting if index not in self._coarse][:together]

    def _found(self, index: int | None, shares: list[float]) -> Finding:
        mismatch = None
        if index is not None:
            mismatch = Mismatch(self._moved[index].name, statistics.median(shares), len(shares))
        return Finding(self._largest, mismatch, len(self._jumped), len(self._waiting))


def _order(sizes: Sequence[float], lot: random.Random) -> list[int]:
    """Indices drawn without putting back, each by its size among what is left (P. Efraimidis and P. Spirakis, "Weighted
    random sampling with a reservoir", 2006): how many a program has of small tensors costs the large ones no place.
    """
    keys = [math.log(1.0 - lot.random()) / size for size in sizes]
    return sorted(range(len(sizes)), key=lambda index: -keys[index])

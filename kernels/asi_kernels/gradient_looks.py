"""What looks at single tensors and at groups of them say of their gradients. The search that asks is `gradients.py`.

A smooth value changes in proportion to the movement and alike on both sides, whatever its gradient is said to be, so
that a look that is off in that way is believed when others at the same tensor agree. Elsewhere a hard choice (a sign,
the largest eight) has tipped within the movement, or is tied at the very place like a ReLU of zero: the value jumps or
bends there, which no gradient tells. Such a tensor can be looked at row by row along its own gradient, where the value
changes most for the least movement. Choices tip at some rows and not at others; a gradient that is another's is off at
nearly all of them.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

import torch

from .finite_differences import Direction, Look, Mover

LIMIT = 0.1
"""Largest part of a change that may be left unexplained."""
_SURE = 0.03  # a look that leaves no more needs no second one: a false gradient comes as near by chance, but seldom

# Changes of the value, in units of the least that counts, in the order in which they are tried: of a group, of one
# tensor, of a row. Small ones meet few jumps, large ones are told from the stairs of half precision.
_GROUP_CHANGES = (10.0, 5000.0)
_TENSOR_CHANGES = (10.0, 40.0, 400.0)
_ROW_CHANGES = (2.0, 8.0, 80.0)
_WIDE_CHANGE = 5000.0  # of a tensor that has jumped: past the stairs
# By how much a change may miss what the smaller one before it foretells; rows are looked at where rounding is near.
_TENSOR_PROPORTION = 0.1
_ROW_PROPORTION = 0.25
# A tensor is false when so many looks are off in proportion, of at most so many; shared among its axes for rows.
_NUM_FIRST_LOOKS = 2  # explained at these, a tensor is cleared
_NUM_OFF = 6
_NUM_LOOKS = 12
_NUM_ROWS_OFF = 8
_NUM_ROW_LOOKS = 16
_NUM_ROWS_EXPLAINED = 2  # clear a tensor: a false gradient too is right along some direction
_KINK_SHARE = 0.5  # of what is off, by which the two sides of a movement may differ where there is no kink
# Where among the sizes of a tensor's gradients the level lies above which a number moves the value no more: by lot.
_LEVELS = (0.3, 1.0)
_TURN = 0.25  # what of a row's direction is drawn by lot, as the value sees it by rms, beside its gradient's part


class Outcome(Enum):
    """What a look says of a gradient, and what several say of a tensor."""

    EXPLAINED = "it tells what the value does"
    SILENT = "the value hardly moves"
    OFF = "it does not tell what the value does, which is in proportion to the movement and the same on both sides"
    JUMPED = "it does not tell what the value does, which is neither: a choice has tipped, or ties at the very place"


class _Seen(NamedTuple):
    outcome: Outcome
    share: float


class Looker:
    def __init__(self, mover: Mover, least_change: float, lot: random.Random) -> None:
        self._mover = mover
        self._least = least_change
        self._lot = lot
        self._generator = torch.Generator().manual_seed(lot.getrandbits(63))

    def is_coarse(self, index: int) -> bool:
        """Whether the least that a tensor can be moved by already changes the value more than a group's tensor may."""
        return (
            2 * self._mover.gradients[index].norm().item() * self._mover.least[index] > _GROUP_CHANGES[0] * self._least
        )

    def unexplained_share(self, group: list[int]) -> float:
        """The least over sizes of movement, the tensors of the group moved together; the larger one of two directions
        where the first leaves it open.
        """
        share = self._least_share(group)
        return max(share, self._least_share(group)) if _SURE < share <= LIMIT else share

    def _least_share(self, group: list[int]) -> float:
        directions = {index: self._spread(index) for index in group}
        least = math.inf
        for change in _GROUP_CHANGES:
            each = change * self._least / math.sqrt(len(group))
            units = {index: direction.units_for(each) for index, direction in directions.items()}
            look = self._mover.look(directions, units)
            least = min(least, look.unexplained_share if self._says_much(look) else 0.0)
            if least <= LIMIT:
                break
        return least

    def judge(self, index: int) -> tuple[Outcome, list[float]]:
        """What looks at one tensor say, and what they left unexplained: one look or two, or many where it is off.
        JUMPED: nothing sure, for its jumps.
        """
        shares, num_off = [], 0
        while num_off < _NUM_OFF and num_off + _NUM_LOOKS - len(shares) >= _NUM_OFF:
            direction = self._spread(index)
            outcome, share = self._look(index, direction, _TENSOR_CHANGES, _TENSOR_PROPORTION)
            if outcome is Outcome.JUMPED:
                outcome, share = self._look_wide(index, direction, share)
            shares.append(share)
            if outcome is Outcome.JUMPED:
                return Outcome.JUMPED, shares
            num_off += outcome is Outcome.OFF
            if num_off == 0 and (share <= _SURE or len(shares) == _NUM_FIRST_LOOKS):
                break
        return (Outcome.OFF if num_off == _NUM_OFF else Outcome.EXPLAINED), shares

    def judge_rows(self, index: int) -> tuple[Outcome, list[float]]:
        """The same of a tensor that jumps as a whole, by its rows along each of its axes: OFF or JUMPED."""
        axes = [axis for axis, size in enumerate(self._mover.gradients[index].shape) if size > 1] or [None]
        num_looks, num_off = math.ceil(_NUM_ROW_LOOKS / len(axes)), math.ceil(_NUM_ROWS_OFF / len(axes))
        shares: list[float] = []
        for axis in axes:
            seen: list[Outcome] = []
            while seen.count(Outcome.OFF) < num_off:
                outcome, share = self._look(index, self._row(index, axis), _ROW_CHANGES, _ROW_PROPORTION)
                seen.append(outcome)
                shares.append(share)
                is_cleared = seen.count(Outcome.EXPLAINED) == _NUM_ROWS_EXPLAINED
                if is_cleared or seen.count(Outcome.OFF) + num_looks - len(seen) < num_off:
                    return Outcome.JUMPED, shares
        return Outcome.OFF, shares

    def _look(self, index: int, direction: Direction, changes: Sequence[float], proportion: float) -> _Seen:
        """At sizes that rise along one direction, until it is explained or has jumped."""
        rise = changes[-1] / changes[0]
        most = min(direction.most, max(direction.least * rise, direction.units_for(changes[-1] * self._least)))
        before: tuple[Look, float] | None = None
        num_measured = 0
        for change in changes:
            units = most * change / changes[-1]
            look = self._mover.look({index: direction}, {index: units})
            if not self._says_much(look):
                continue
            if look.unexplained_share <= LIMIT:
                return _Seen(Outcome.EXPLAINED, look.unexplained_share)
            if before and not abs(look.seen - before[0].seen * units / before[1]) <= proportion * look.size:
                return _Seen(Outcome.JUMPED, look.unexplained_share)
            if before is None and not self._is_straight(look):
                return _Seen(Outcome.JUMPED, look.unexplained_share)
            before, num_measured = (look, units), num_measured + 1
        if before is None or num_measured < 2:
            return _Seen(Outcome.SILENT, 0.0)
        return _Seen(Outcome.OFF, before[0].unexplained_share)

    def _look_wide(self, index: int, direction: Direction, share: float) -> _Seen:
        look = self._mover.look({index: direction}, {index: direction.units_for(_WIDE_CHANGE * self._least)})
        is_explained = look.unexplained_share <= LIMIT
        return _Seen(Outcome.EXPLAINED if is_explained else Outcome.JUMPED, min(share, look.unexplained_share))

    def _is_straight(self, look: Look) -> bool:
        """Whether what is off is more than a kink at the very place would explain: there the two sides differ."""
        return 2 * abs(look.middle - self._mover.at_rest) <= _KINK_SHARE * abs(look.seen - look.told)

    def _says_much(self, look: Look) -> bool:
        return not look.size < self._least

    def _spread(self, index: int) -> Direction:
        """Normal numbers, smaller where the gradient is above a level: these move the value no more than others."""
        gradient = self._mover.gradients[index]
        sizes = gradient.abs().float()
        step = torch.randn(gradient.shape, generator=self._generator)
        felt = sizes[sizes > 0]
        if felt.numel() == 0:
            return self._mover.direction(index, step, 0.0)
        place = math.ceil(self._lot.uniform(*_LEVELS) * felt.numel())
        most = felt.kthvalue(place).values
        told = 2 * sizes.clamp_max(most).norm().item()
        return self._mover.direction(index, step * (most / sizes.clamp_min(most)), told)

    def _row(self, index: int, axis: int | None) -> Direction:
        """Along the gradient of one row (a slice along `axis`), drawn by the size of its gradient, with some turn."""
        gradient = self._mover.gradients[index].float()
        step = torch.zeros_like(gradient)
        rows, row_steps = (values[None] if axis is None else values.movedim(axis, 0) for values in (gradient, step))
        sizes = rows.reshape(len(rows), -1).norm(dim=1)
        place = int(torch.multinomial(sizes + 1e-30, 1, generator=self._generator))
        size = sizes[place].item()
        along = rows[place] / size if size > 0 else torch.zeros_like(rows[place])
        row_steps[place] = along + _TURN * torch.randn(along.shape, generator=self._generator)
        return self._mover.direction(index, step, 2 * size * math.hypot(1.0, _TURN))

"""How much probing one program gets: full for fast ones, less for slow ones (loops over tokens, heavy element-wise
work).

Repetitions go first, lengths last. Nothing is left out in silence: `note` says what was reduced, and every gate that
used it repeats the note in its evidence.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from .subject import Subject

CHUNK_BORDERS = (1, 15, 16, 17, 31, 32, 33, 63, 64, 65)
_BORDER_LENGTH = CHUNK_BORDERS[-1] + 7
_SHORT_BORDER_LENGTH = 40
_LONG = 331  # past the usual thresholds of 256 and 300, and a multiple of no chunk size
_LONGEST = 1024
_THRESHOLDS_PROBED = 3
_LONG_ROWS = 2
_BUDGET_SECONDS = 1.5
# What the probes of fixed size walk through, forwards counted once and backwards twice: (positions, tokens).
_FIXED_WORK = (1_500, 5_000)


@dataclass(frozen=True)
class Effort:
    """Sizes of the probes.

    `border_length` holds the chunk borders `borders`; with `every_cut` the first layer is cut at each of its
    positions.
    `long_lengths` are the rung's lengths, a long one, and numbers of the text that may be thresholds.
    """

    border_length: int
    borders: tuple[int, ...]
    every_cut: bool
    second_seed: bool
    long_lengths: tuple[int, ...]
    note: str

    @property
    def longest(self) -> int:
        return self.long_lengths[-1]


def effort_for(subject: Subject) -> Effort:
    """The most probing that fits the time budget, by the measured cost of a position and of a token."""
    lengths = _lengths(subject)
    full = Effort(_BORDER_LENGTH, CHUNK_BORDERS, True, True, lengths, "")
    steps = (
        full,
        replace(full, every_cut=False, note="cuts at chunk borders and at random instead of everywhere"),
        replace(full, every_cut=False, second_seed=False, note="one seed, cuts at chunk borders and at random"),
        replace(
            full,
            every_cut=False,
            second_seed=False,
            long_lengths=(_LONG,),
            note=f"one seed, cuts at chunk borders and at random, lengths {_BORDER_LENGTH} and {_LONG}",
        ),
    )
    for step in steps:
        if _seconds(step, subject) <= _BUDGET_SECONDS:
            return replace(step, note=f"slow program: {step.note}") if step.note else step
    longest = max(80, min(_LONG, int(_LONG * _BUDGET_SECONDS / _seconds(steps[-1], subject))))
    return Effort(
        border_length=_SHORT_BORDER_LENGTH,
        borders=tuple(cut for cut in CHUNK_BORDERS if cut < _SHORT_BORDER_LENGTH),
        every_cut=False,
        second_seed=False,
        long_lengths=(longest,),
        note=f"very slow program: one seed, cuts up to {_SHORT_BORDER_LENGTH}, longest length {longest} "
        f"instead of {lengths[-1]}",
    )


def _lengths(subject: Subject) -> tuple[int, ...]:
    thresholds = [value for value in subject.thresholds if CHUNK_BORDERS[-1] < value < _LONGEST]
    wanted = {_LONG, *(length for length in subject.shape.lengths if length <= _LONGEST)}
    for threshold in thresholds[-_THRESHOLDS_PROBED:]:
        wanted |= {threshold, threshold + 1}
    return tuple(sorted(wanted))


def _seconds(effort: Effort, subject: Subject) -> float:
    layers = len(subject.layer_indices)
    border_rows = len(effort.borders) + 3
    first_layer_rows = border_rows + (effort.border_length // 2 if effort.every_cut else 0)
    long_positions = sum(effort.long_lengths)
    border_passes = 4 * (layers - 1 + effort.second_seed) + 3 * layers
    positions = _FIXED_WORK[0] + effort.border_length * (border_passes + 4) + long_positions * (4 * layers + 2)
    tokens = (
        _FIXED_WORK[1]
        + effort.border_length * (border_passes * border_rows + 4 * first_layer_rows)
        + long_positions * (4 * layers + 2) * _LONG_ROWS
    )
    cost = subject.cost
    return positions * cost.seconds_a_position + tokens * cost.seconds_a_token

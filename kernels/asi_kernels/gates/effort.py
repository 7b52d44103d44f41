"""How much probing one program gets: full for fast ones, less for loops over tokens and heavy element-wise work.

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
_DEEP = 700  # science: lengths far past every training length, for those that are about to win something
_DEEP_CUTS = 100
_LONGEST = 1024
_SHORTEST_LONG = 80
_THRESHOLDS_PROBED = 3
_CHUNKS_PROBED = 3
_RANDOM_CUTS = 8  # of the smallest request; larger ones are paid for on top
_LONG_ROWS = 2
_BUDGET_SECONDS = 2.8  # of CPU time for all gates; the whole check may take four
# What probes of fixed size walk through a layer, forwards counted once and backwards twice.
_FIXED_POSITIONS = 2_500
_FIXED_TOKENS = 6_000


@dataclass(frozen=True)
class Effort:
    """Sizes of the probes.

    `border_length` holds the chunk borders `borders`; with `every_cut` the first layer is cut at each of its positions.
    `thorough` adds a second seed and runs long lengths in both modes. `long_lengths` are the rung's lengths, a long
    one, and numbers of the text that may be thresholds.
    """

    border_length: int
    borders: tuple[int, ...]
    every_cut: bool
    thorough: bool
    long_lengths: tuple[int, ...]
    note: str

    @property
    def longest(self) -> int:
        return self.long_lengths[-1]


def effort_for(subject: Subject, num_random: int = _RANDOM_CUTS) -> Effort:
    """The most probing that fits the time budget, by the measured cost of a position and of a token. From a hundred
    random cuts on length 700 is added.
    """
    lengths = _lengths(subject, deep=num_random >= _DEEP_CUTS)
    full = Effort(_BORDER_LENGTH, _borders(subject), True, True, lengths, "")
    borders = replace(full, every_cut=False, note="slow program: cuts at chunk borders and at random, not everywhere")
    once = replace(borders, thorough=False, note=f"{borders.note}, one seed, long lengths in one mode a layer")
    fewer = replace(once, long_lengths=(_LONG,), note=f"{once.note}, lengths {_BORDER_LENGTH} and {_LONG} only")
    for effort in (full, borders, once, fewer):
        if _seconds(effort, subject) <= _BUDGET_SECONDS:
            return effort
    return _least(subject, once=once)


def _least(subject: Subject, *, once: Effort) -> Effort:
    """For very slow programs: short borders, and the longest length that the budget still allows."""
    short = replace(
        once,
        border_length=_SHORT_BORDER_LENGTH,
        borders=tuple(cut for cut in once.borders if cut < _SHORT_BORDER_LENGTH),
        long_lengths=(_SHORTEST_LONG,),
    )
    spare = _BUDGET_SECONDS - _seconds(short, subject)
    slope = (_seconds(replace(short, long_lengths=(_LONG,)), subject) - _seconds(short, subject)) / (
        _LONG - _SHORTEST_LONG
    )
    longest = min(_LONG, _SHORTEST_LONG + max(0, int(spare / slope)))
    note = f"very {once.note}, cuts up to {_SHORT_BORDER_LENGTH}, longest length {longest} instead of {once.longest}"
    return replace(short, long_lengths=(longest,), note=note)


def _borders(subject: Subject) -> tuple[int, ...]:
    """The usual chunk borders and those of numbers of the text that may be chunk sizes, the largest of them."""
    sizes = [value for value in subject.thresholds if 3 < value <= CHUNK_BORDERS[-1] and value not in CHUNK_BORDERS]
    own = {value + step for value in sizes[-_CHUNKS_PROBED:] for step in (-1, 0, 1)}
    return tuple(sorted({*CHUNK_BORDERS, *own}))


def _lengths(subject: Subject, *, deep: bool) -> tuple[int, ...]:
    thresholds = [value for value in subject.thresholds if CHUNK_BORDERS[-1] < value < _LONGEST]
    wanted = {_LONG, *(length for length in subject.shape.lengths if length <= _LONGEST)}
    wanted |= {_DEEP} if deep else set()
    for threshold in thresholds[-_THRESHOLDS_PROBED:]:
        wanted |= {threshold, threshold + 1}
    return tuple(sorted(wanted))


def _seconds(effort: Effort, subject: Subject) -> float:
    """Estimate of the whole audit. Long lengths: two passes a mode in the causality gate, one in the length gate."""
    layers = len(subject.layer_indices)
    border_rows = len(effort.borders) + _RANDOM_CUTS
    first_layer_rows = border_rows + (effort.border_length // 2 if effort.every_cut else 0)
    border_passes = 4 * (layers - 1 + effort.thorough) + 3 * layers
    long_passes = 6 * layers if effort.thorough else 2 * layers + 2
    long_positions = sum(effort.long_lengths) * long_passes + (5 * effort.longest if effort.thorough else 0)
    positions = _FIXED_POSITIONS * layers + effort.border_length * (border_passes + 4) + long_positions
    tokens = (
        _FIXED_TOKENS * layers
        + effort.border_length * (border_passes * border_rows + 4 * first_layer_rows)
        + long_positions * _LONG_ROWS
    )
    return positions * subject.cost.seconds_a_position + tokens * subject.cost.seconds_a_token

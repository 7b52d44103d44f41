"""How much probing one program gets: full for fast ones; fewer repetitions, then shorter lengths, for programs that loop over tokens.

Nothing is left out in silence: `note` says what was reduced and goes into the evidence of every gate that used it.
"""

from __future__ import annotations

from dataclasses import dataclass

from .subject import Subject

CHUNK_BORDERS = (1, 15, 16, 17, 31, 32, 33, 63, 64, 65)
_LONG = 331  # past the usual thresholds of 256 and 300, and a multiple of no chunk size
_LONGEST = 1024
_THRESHOLDS_PROBED = 3
_BUDGET_SECONDS = 2.0
# Positions that one unit of each probe walks through, forwards and backwards together, measured on the gates below.
_FIXED_POSITIONS = 1400


@dataclass(frozen=True)
class Effort:
    """`border_length` holds every chunk border; `long_lengths` are the rung's lengths, a long one, and thresholds of the text."""

    seeds: int
    modes: tuple[bool, ...]
    border_length: int
    cuts: tuple[int, ...]
    long_lengths: tuple[int, ...]
    note: str

    @property
    def longest(self) -> int:
        return self.long_lengths[-1]


def effort_for(subject: Subject) -> Effort:
    """The most probing that fits the time budget, by the measured cost of one position."""
    lengths = _lengths(subject)
    layers = len(subject.layer_indices)
    border = max(CHUNK_BORDERS) + 7
    full = Effort(2, (True, False), border, CHUNK_BORDERS, lengths, "")
    allowed = _BUDGET_SECONDS / max(subject.seconds_a_token, 1e-9)
    if _positions(full, layers) <= allowed:
        return full
    pace = f"{subject.seconds_a_token * 1e3:.2f} ms a position"
    single = Effort(1, (True, False), border, CHUNK_BORDERS, lengths, f"slow program ({pace}): one seed")
    if _positions(single, layers) <= allowed:
        return single
    longest = (_LONG,)
    if _positions(Effort(1, (True, False), border, CHUNK_BORDERS, longest, ""), layers) <= allowed:
        return Effort(
            1,
            (True, False),
            border,
            CHUNK_BORDERS,
            longest,
            f"slow program ({pace}): one seed, lengths {border} and {_LONG}",
        )
    shortest = max(80, min(_LONG, int(allowed / (6 * layers))))
    note = f"very slow program ({pace}): one seed, cuts up to 33, longest length {shortest} instead of {lengths[-1]}"
    return Effort(1, (True, False), 40, tuple(cut for cut in CHUNK_BORDERS if cut < 40), (shortest,), note)


def _lengths(subject: Subject) -> tuple[int, ...]:
    thresholds = [value for value in subject.thresholds if CHUNK_BORDERS[-1] < value < _LONGEST][-_THRESHOLDS_PROBED:]
    wanted = {_LONG, *(length for length in subject.shape.lengths if length <= _LONGEST)}
    for threshold in thresholds:
        wanted |= {threshold, threshold + 1}
    return tuple(sorted(wanted))


def _positions(effort: Effort, layers: int) -> float:
    border = (
        effort.border_length * 2 * len(effort.modes) * (effort.seeds + layers - 1) + 3 * effort.border_length * layers
    )
    long = sum(effort.long_lengths) * 2 * len(effort.modes) * layers
    return border + long + 4 * effort.longest + _FIXED_POSITIONS

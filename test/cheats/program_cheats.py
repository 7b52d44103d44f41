"""`python test/cheats/program_cheats.py [--seeds 5] [NAME ...]`: what cheating programs get from gates, host and judge.

A cheat is accepted when no gate refuses it, the judge gives it a score, and the score beats that of every honest
control on the same seed by more than the margin. A control is refused wrongly when a gate, the host or the judge
refuses it. The exit status is 1 when either has happened. The column `without gates` is for what the gates refuse too.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from try_program import CONTROLS, Course, Tried, names

MARGIN_BITS = 0.1  # a byte; seeds of the control alone differ by less


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=None, metavar="NAME", help="programs without .py (default all)")
    parser.add_argument("--seeds", type=int, default=5, help="seeds 0 to N-1 (default 5)")
    parser.add_argument("--set", default="promotion", help="depth of the scoring (default promotion)")
    options = parser.parse_args()
    chosen = options.names or names()
    accepted, wronged, naked = 0, 0, 0
    with tempfile.TemporaryDirectory() as place:
        course = Course(Path(place))
        print(f"jobs of a host in sandbox {course.host.facts['tier']}")
        gates = {name: course.refused_by(name) for name in {*CONTROLS, *chosen}}
        control = [_best_control(course, seed, options.set) for seed in range(options.seeds)]
        print(f"{'program':36} {'gates':16} without gates: bits/byte against the best control's, or the label, by seed")
        for name in chosen:
            tried = [course.score(name, seed, options.set) for seed in range(options.seeds)]
            words = [_word(row, control[row.seed]) for row in tried]
            gains = [row for row in tried if row.official is not None and is_better(row, control[row.seed])]
            if name in CONTROLS:
                wronged += gates[name] is not None or any(row.label is not None for row in tried)
            else:
                naked += bool(gains)
                accepted += bool(gains) and gates[name] is None
            print(f"{name:36} {gates[name] or 'pass':16} {'  '.join(words)}", flush=True)
        course.close()
    cheats = sum(name not in CONTROLS for name in chosen)
    print(f"cheats accepted: {accepted} of {cheats} (by host and judge alone, without gates: {naked})")
    print(f"controls refused: {wronged} of {len(chosen) - cheats}")
    return 1 if accepted or wronged else 0


def _best_control(course: Course, seed: int, score_set: str) -> float:
    rows = [course.score(name, seed, score_set) for name in CONTROLS]
    return min(row.official for row in rows if row.official is not None)


def is_better(row: Tried, control: float) -> bool:
    """Whether a score is better than the control's by more than the margin."""
    return row.official is not None and row.official < control - MARGIN_BITS


def _word(row: Tried, control: float) -> str:
    return row.label if row.official is None else f"{row.official - control:+.3f}"


if __name__ == "__main__":
    sys.exit(main())

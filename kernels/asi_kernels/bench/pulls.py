"""`python -m asi_kernels.bench.pulls [FILE ...] [--rung quick] [--seed 1]`: how hard programs are pulled in training.

Trains every baseline, and each mixer file that is named, on the rung's first task, and prints the pull (size of
the gradients of the mixers over that of the rest of the model, of all numbers together and of one number) and how many
times that of the median baseline it is: what `timesPull` (workflows/rules/pull.ts) makes of the two a verdict holds
against its limit.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from asi_kernels.generate.baselines import baseline_genome, baseline_names
from asi_kernels.generate.emit import emit_program

from .trial import RUNGS_FILE, TrialLost, first_task_of, prepared_text, train_alone

_MEASURES = ("pull", "pullOfOne")


def main(arguments: list[str] | None = None) -> int:
    rungs = json.loads(RUNGS_FILE.read_text())
    parser = argparse.ArgumentParser(prog="python -m asi_kernels.bench.pulls", description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path, help="mixer files beside the baselines")
    parser.add_argument("--rung", default="quick", choices=sorted(rungs))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--baselines", nargs="+", default=list(baseline_names()), choices=baseline_names())
    options = parser.parse_args(arguments)
    unread = [path for path in options.files if not path.is_file()]
    if unread:
        parser.error(f"{unread[0]} is no file; name mixer files")
    rung = first_task_of(rungs[options.rung])
    programs = {name: emit_program(baseline_genome(name), name, "benchmark") for name in options.baselines}
    print(f"{'program':28}  {'all numbers':>11}  {'one number':>10}  times the median baseline's: all  one")
    with tempfile.TemporaryDirectory() as folder:
        manifest = prepared_text(Path(folder) / "cache")
        usual = [_pull_of(text, rung, manifest, options.seed) for text in programs.values()]
        medians = {measure: statistics.median(pull[measure] for pull in usual) for measure in _MEASURES}
        for name, pull in zip(programs, usual, strict=True):
            print(_line(name, pull, medians), flush=True)
        lost = 0
        for path in options.files:
            try:
                print(_line(path.stem, _pull_of(path.read_text(), rung, manifest, options.seed), medians), flush=True)
            except TrialLost as error:
                lost += 1
                print(f"{path.stem:28}  {error}", flush=True)
    return 1 if lost > 0 else 0


def _pull_of(program: str, rung: dict[str, Any], manifest: dict[str, Any], seed: int) -> dict[str, float]:
    [pull] = train_alone(program, rung, manifest, seed)["pulls"]
    if any(pull[measure] is None for measure in _MEASURES):
        raise TrialLost("its training has no pull: a gradient was zero everywhere, or not finite")
    return {measure: pull[measure] for measure in _MEASURES}


def _line(name: str, pull: dict[str, float], medians: dict[str, float]) -> str:
    times = {measure: pull[measure] / medians[measure] for measure in _MEASURES}
    return (
        f"{name[:28]:28}  {pull['pull']:11.3f}  {pull['pullOfOne']:10.3f}  "
        f"{times['pull']:31.2f}  {times['pullOfOne']:.2f}"
    )


if __name__ == "__main__":
    sys.exit(main())

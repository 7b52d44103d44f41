"""`python -m asi_kernels.bench.rates [--rung quick] [--seeds 2] [--factors 0.5 1 2]`: the rate that baselines want.

Trains and scores baselines at the learning rates of a rung times each factor, and prints the mean of each metric over
the seeds, and over all baselines. A program can choose how far its weights move (W / S stored and used as S W moves S
times as far), so that a rung whose rate is far from what its baselines learn best at would let it win by that alone.
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

from .trial import RUNGS_FILE, at_rate, prepared_text, train_and_score

_METRICS = ("bits-per-byte", "recall-auc")


def main(arguments: list[str] | None = None) -> int:
    rungs = json.loads(RUNGS_FILE.read_text())
    parser = argparse.ArgumentParser(prog="python -m asi_kernels.bench.rates", description=__doc__.splitlines()[0])
    parser.add_argument("--rung", default="quick", choices=sorted(rungs))
    parser.add_argument("--task", default=None, help="this task of the rung alone (default: all)")
    parser.add_argument("--seeds", type=int, default=2, help="seeds 1 to this")
    parser.add_argument("--factors", type=float, nargs="+", default=[0.5, 1.0, 2.0])
    parser.add_argument("--baselines", nargs="+", default=list(baseline_names()), choices=baseline_names())
    options = parser.parse_args(arguments)
    rung = rungs[options.rung]
    tasks = [task for task in rung["tasks"] if options.task in (None, task["kind"])]
    if not tasks:
        parser.error(f"--task: {options.rung} has {', '.join(task['kind'] for task in rung['tasks'])}")
    print("factor  " + f"{'baseline':20}" + "".join(f"  {metric:>16}" for metric in _METRICS))
    with tempfile.TemporaryDirectory() as folder:
        manifest = prepared_text(Path(folder) / "cache")
        for factor in options.factors:
            faster = at_rate({**rung, "tasks": tasks}, factor)
            rows = [(name, _means(name, faster, manifest, options.seeds)) for name in options.baselines]
            for name, means in [*rows, ("all", _mean_of([means for _, means in rows]))]:
                cells = "".join(
                    f"  {means[metric]:16.4f}" if metric in means else f"  {'–':>16}" for metric in _METRICS
                )
                print(f"{factor:6g}  {name:20}{cells}", flush=True)
    return 0


def _means(name: str, rung: dict[str, Any], manifest: dict[str, Any], num_seeds: int) -> dict[str, float]:
    """Of each metric over the seeds."""
    program = emit_program(baseline_genome(name), name, "benchmark")
    return _mean_of([train_and_score(program, rung, manifest, seed) for seed in range(1, num_seeds + 1)])


def _mean_of(rows: list[dict[str, float]]) -> dict[str, float]:
    return {metric: statistics.fmean(row[metric] for row in rows) for metric in _METRICS if metric in rows[0]}


if __name__ == "__main__":
    sys.exit(main())

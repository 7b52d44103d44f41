"""`python -m asi_kernels.bench.trial`: what one trial costs, by baseline, and how far a rung tells baselines apart.

Prints, for each baseline, training tokens a CPU second, CPU seconds of training, of the candidate's answers and of the
judge, the judge's share of training, and the metrics. With more than one seed it also prints what seeds alone do (what
is left after taking out what a seed does to all baselines) against what baselines do. Each trial has a child of its own
and one thread; other load disturbs CPU seconds by some ten per cent, metrics not at all.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import multiprocessing
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asi_kernels.data import prepare
from asi_kernels.data.split import SHARDS
from asi_kernels.generate.baselines import baseline_genome, baseline_names
from asi_kernels.generate.emit import emit_program

if TYPE_CHECKING:
    from .scoring import LocalScore

RUNGS_FILE = Path(prepare.__file__).parent.parent / "schemas" / "rungs.json"
_JUDGE_FOLDER = "judge"
METRICS = ("bits-per-byte", "recall-auc", "recall-accuracy", "copy-loss")


def main(arguments: list[str] | None = None) -> int:
    rungs = json.loads(RUNGS_FILE.read_text())
    parser = argparse.ArgumentParser(prog="python -m asi_kernels.bench.trial", description=__doc__.splitlines()[0])
    parser.add_argument("--rung", default="quick", choices=sorted(rungs))
    parser.add_argument(
        "--baselines", nargs="+", default=list(baseline_names()), choices=baseline_names(), metavar="NAME"
    )
    parser.add_argument("--seeds", type=int, default=1, help="seeds 0 to N-1 (default 1)")
    parser.add_argument("--set", default="search", choices=SHARDS, help="what the scoring is for (default search)")
    parser.add_argument("--cache", type=Path, default=None, help="folder for prepared text (default: a temporary one)")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        manifest = prepared_text(options.cache or Path(folder) / "cache")
        rows: dict[str, list[dict[str, float]]] = {}
        print(f"{'baseline':20} seed  tokens/s  train s  answer s  judge s  judge %  " + "  ".join(METRICS))
        for name in options.baselines:
            for seed in range(options.seeds):
                program = emit_program(baseline_genome(name), name, "benchmark")
                row = train_and_score(program, rungs[options.rung], manifest, seed, options.set)
                rows.setdefault(name, []).append(row)
                values = "  ".join(f"{row[metric]:{len(metric)}.3f}" for metric in METRICS if metric in row)
                print(
                    f"{name:20} {seed:4}  {row['tokensPerSecond']:8.0f}  {row['trainSeconds']:7.2f}"
                    f"  {row['answerSeconds']:8.2f}  {row['judgeSeconds']:7.2f}"
                    f"  {100 * row['judgeSeconds'] / row['trainSeconds']:7.1f}  {values}",
                    flush=True,
                )
    if options.seeds > 1 and len(rows) > 1:
        for metric in METRICS:
            if metric in rows[options.baselines[0]][0]:
                table = [[row[metric] for row in rows[name]] for name in options.baselines]
                between, residual = spreads(table)
                print(f"{metric}: sd between baselines {between:.3f}, residual sd of seeds {residual:.3f}")
    return 0


def spreads(table: Sequence[Sequence[float]]) -> tuple[float, float]:
    """(sd of row means, residual sd) of rows by columns: baselines by seeds, both effects additive.

    The residual is what is left after row means and column means, over (rows - 1)(columns - 1) degrees of freedom: what
    a comparison on common seeds still has for noise.
    """
    num_rows, num_columns = len(table), len(table[0])
    rows = [math.fsum(row) / num_columns for row in table]
    columns = [math.fsum(row[index] for row in table) / num_rows for index in range(num_columns)]
    mean = math.fsum(rows) / num_rows
    between = math.fsum((row - mean) ** 2 for row in rows) / (num_rows - 1)
    squares = math.fsum(
        (value - rows[i] - columns[j] + mean) ** 2 for i, row in enumerate(table) for j, value in enumerate(row)
    )
    return math.sqrt(between), math.sqrt(squares / ((num_rows - 1) * (num_columns - 1)))


def prepared_text(cache: Path) -> dict[str, Any]:
    """Manifest of the standard library's text, prepared under `cache` where it is not there yet."""
    cache.mkdir(parents=True, exist_ok=True)
    request = {
        "source": {"kind": "stdlib"},
        "cacheFolder": str(cache),
        "judgeFolder": str(cache / _JUDGE_FOLDER),
        "minimumTrainBytes": 0,
        "minimumHeldOutBytes": 0,
    }
    result = prepare.run(request, cache, lambda line: None)
    if result["status"] != "ok":
        sys.exit(f"{result['field']}: {result['message']}")
    return result["manifest"]


def first_task_of(rung: dict[str, Any]) -> dict[str, Any]:
    """The rung with the task alone that verdicts are about."""
    return {**rung, "tasks": rung["tasks"][:1]}


def at_rate(rung: dict[str, Any], rate: float) -> dict[str, Any]:
    """The rung with its learning rates times `rate`, and its own name: data and held-out windows follow from it."""
    return {
        **rung,
        "tasks": [{**task, "learningRate": task["learningRate"] * rate} for task in rung["tasks"]],
    }


def train_and_score(
    program: str, rung: dict[str, Any], manifest: dict[str, Any], seed: int, score_set: str = "search"
) -> dict[str, float]:
    """Metrics and costs of one program text after one trial, as `train_and_score_on` gives them for one set."""
    return train_and_score_on(program, rung, manifest, seed, (score_set,))[score_set]


def train_and_score_on(
    program: str, rung: dict[str, Any], manifest: dict[str, Any], seed: int, score_sets: Sequence[str]
) -> dict[str, dict[str, float]]:
    """By set, metrics and costs of one program text after one trial, scored on each set; in a forked child, so that
    trials do not warm each other.

    Raises TrialLost when the child ends without them.
    """
    return _in_child(_train_and_score, program, rung, manifest, seed, tuple(score_sets))


def train_alone(program: str, rung: dict[str, Any], manifest: dict[str, Any], seed: int) -> dict[str, Any]:
    """The trainResult of one program text, trained in a forked child and not scored. Raises TrialLost."""
    return _in_child(_train_alone, program, rung, manifest, seed)


def _in_child(work: Callable[..., Any], *arguments: Any) -> Any:
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(sender, work, *arguments))
    process.start()
    sender.close()
    try:
        return receiver.recv()
    except EOFError as error:
        process.join()
        raise TrialLost(f"a trial ended with status {process.exitcode} and no result") from error
    finally:
        process.join()


def _send(sender: Any, work: Callable[..., Any], *arguments: Any) -> None:
    sender.send(work(*arguments))


class TrialLost(Exception):
    """A trial of a benchmark ended without metrics; what it said is on stderr."""


def _train_and_score(
    program: str, rung: dict[str, Any], manifest: dict[str, Any], seed: int, score_sets: tuple[str, ...]
) -> dict[str, dict[str, float]]:
    from .scoring import score_locally

    with tempfile.TemporaryDirectory() as folder:
        common, trained = _train(program, rung, manifest, seed, Path(folder))
        judge_home = Path(manifest["folder"]).parent / _JUDGE_FOLDER
        request = {**common, "checkpointPath": trained["checkpointPath"]}
        return {name: _row(trained, score_locally(request, judge_home, name)) for name in score_sets}


def _train_alone(program: str, rung: dict[str, Any], manifest: dict[str, Any], seed: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        return _train(program, rung, manifest, seed, Path(folder))[1]


def _train(
    program: str, rung: dict[str, Any], manifest: dict[str, Any], seed: int, workdir: Path
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What training and scoring are both asked with, and the trainResult. Ends the process where it did not train."""
    from asi_kernels.gates.sizes import measure_sizes
    from asi_kernels.programs import load_mixer_class
    from asi_kernels.train import run as train

    reference_program = emit_program(baseline_genome("deltanet"), "deltanet", "benchmark")
    for file_name, text in (("mixer.py", program), ("reference.py", reference_program)):
        (workdir / file_name).write_text(text)
    mixer, reference = (load_mixer_class(workdir / file_name) for file_name in ("mixer.py", "reference.py"))
    common = {
        "trialId": f"c-bench/e0001/{rung['name']}/s{seed}",
        "programPath": str(workdir / "mixer.py"),
        "programHash": hashlib.sha256((workdir / "mixer.py").read_bytes()).hexdigest(),
        "rung": rung,
        "sizes": [size.row() for size in measure_sizes(mixer, reference, rung, seed)],
        "seed": seed,
        "data": manifest,
    }
    trained = train.run({**common, "checkpointEvery": 20, "reportEvery": 5}, workdir, lambda line: None)
    if trained["status"] != "trained":
        sys.exit(f"{trained['label']}: {trained['detail']}")
    return common, trained


def _row(trained: dict[str, Any], scored: LocalScore) -> dict[str, float]:
    return {
        "tokensPerSecond": trained["tokensPerSecond"],
        "trainSeconds": trained["cpuSeconds"],
        "answerSeconds": scored.answer_seconds,
        "judgeSeconds": scored.judge_seconds,
        **{row.metric: row.value for row in scored.metrics},
    }


if __name__ == "__main__":
    sys.exit(main())

"""`python -m asi_kernels.bench.nulls_table`: real trainings of baselines under many seeds, kept in a table.

What `npm run bench -- nulls` draws from. Each baseline is trained on the rung's first task, which verdicts are about,
under the seeds 0 to N-1: at the rung's learning rate, scored on the sets for search and promotion; at multiples of that
rate, scored for promotion; and again as *replicates*: the same architecture whose mixer draws other initial values, on
the same data in the same order and with the same embedding and MLPs, scored for promotion. A replicate against its
baseline is a candidate without any true gain, down to what a paired comparison shares. The first seeds of a
baseline are scored on the champion set too, whose 65,000 prefixes cost more than the training: they show how far that
set is from promotion, trial by trial.

The table is one JSON file under the cache, named by a fingerprint: what trainings of two steps give for each baseline,
to three digits, with the rung's task and the text's hash. So it outlives a change of the code that changes no number,
and no other. It is written after every training; killed at any moment and run again it goes on. Two runs at once do
each other's work twice and lose nothing: a row is what its name says, whoever made it.

The last line of stdout is the path of the table; progress goes to stderr.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import multiprocessing
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any, NamedTuple

from asi_kernels.generate.baselines import baseline_genome, baseline_names
from asi_kernels.generate.emit import emit_program

from .trial import RUNGS_FILE, TrialLost, at_rate, first_task_of, prepared_text, train_and_score_on

# The baselines of the quick preset, the reference first.
_BASELINES = ("deltanet", "ssd", "kda", "deltanet-fir-gate")
_FINGERPRINT_STEPS = 2
_METRIC = "bits-per-byte"


class Key(NamedTuple):
    """Which training a row is of."""

    baseline: str
    replicate: int
    """0 is the baseline itself."""
    rate: float
    """Multiple of the rung's learning rate."""
    seed: int


def sets_of(key: Key, champion_seeds: int) -> tuple[str, ...]:
    """What a training is scored for; on the champion set the first `champion_seeds` seeds of a baseline."""
    if key.replicate > 0 or key.rate != 1.0:
        return ("promotion",)
    return ("search", "promotion", "champion") if key.seed < champion_seeds else ("search", "promotion")


Bits = dict[str, float]
"""Bits per byte by set."""


def main(arguments: list[str] | None = None) -> int:
    rungs = json.loads(RUNGS_FILE.read_text())
    parser = argparse.ArgumentParser(
        prog="python -m asi_kernels.bench.nulls_table", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--rung", default="quick", choices=sorted(rungs))
    parser.add_argument("--baselines", nargs="+", default=list(_BASELINES), choices=baseline_names(), metavar="NAME")
    parser.add_argument("--seeds", type=_positive, default=24, help="seeds 0 to N-1 (default 24)")
    parser.add_argument("--replicates", type=_not_negative, default=1, help="replicates of each baseline (default 1)")
    parser.add_argument(
        "--rates", nargs="*", type=_rate, default=[], help="other learning rates, as multiples of the rung's"
    )
    parser.add_argument(
        "--champion-seeds", type=_not_negative, default=3, help="seeds that are scored on the champion set (default 3)"
    )
    parser.add_argument("--processes", type=_positive, default=os.cpu_count() or 1, help="trials at once, a core each")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "asi-arch", help="folder of the tables")
    options = parser.parse_args(arguments)
    rung = first_task_of(rungs[options.rung])
    manifest = prepared_text(options.cache / "bench-text")
    name = fingerprint(rung, manifest, options.baselines)
    table = NullsTable(options.cache / "nulls" / f"{name}.json", rung["name"], name)
    variants = [(0, 1.0), *((0, rate) for rate in options.rates if rate != 1.0)]
    variants += [(replicate, 1.0) for replicate in range(1, options.replicates + 1)]
    wanted = [
        Key(baseline, replicate, rate, seed)
        for replicate, rate in variants
        for seed in range(options.seeds)
        for baseline in options.baselines
    ]
    sets = {key: sets_of(key, options.champion_seeds) for key in wanted}
    fill(table, sets, rung=rung, manifest=manifest, processes=options.processes)
    print(table.path)
    return 0


def fill(
    table: NullsTable,
    wanted: dict[Key, tuple[str, ...]],
    *,
    rung: dict[str, Any],
    manifest: dict[str, Any],
    processes: int,
) -> None:
    """Trains what is wanted, by the sets that it is scored on, and not there yet, `processes` trainings at once.

    Raises TrialLost for the first lost trial when all others are in the table.
    """
    missing = [key for key in wanted if not table.has(key)]
    started = time.monotonic()
    lost: list[TrialLost] = []
    # Processes that each fork one trial at a time: a fork beside a running thread may take a half-loaded library along.
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        running = {pool.submit(_bits, key, wanted[key], rung, manifest): key for key in missing}
        for done, future in enumerate(as_completed(running), start=1):
            try:
                table.add(running[future], future.result())
            except TrialLost as error:
                lost.append(error)
            left = (time.monotonic() - started) / done * (len(missing) - done)
            print(
                f"nulls: {len(wanted) - len(missing) + done} of {len(wanted)} trainings, about {left:.0f} s left",
                file=sys.stderr,
                flush=True,
            )
    if lost:
        raise lost[0]


def _bits(key: Key, sets: tuple[str, ...], rung: dict[str, Any], manifest: dict[str, Any]) -> Bits:
    program = null_program(key.baseline, key.replicate)
    rows = train_and_score_on(program, at_rate(rung, key.rate), manifest, key.seed, sets)
    return {name: row[_METRIC] for name, row in rows.items()}


def null_program(baseline: str, replicate: int) -> str:
    """Program text of a baseline. A replicate, from 1 on, draws other initial values for the mixer alone."""
    program = emit_program(baseline_genome(baseline), baseline, "benchmark")
    if replicate == 0:
        return program
    return f'''{program}

_Original = Mixer


class Mixer(_Original):
    """The same architecture with initial values of a stream of its own."""

    def __init__(self, **shape):
        torch.manual_seed((int(torch.randint(2**62, (1,))) + {replicate}) % 2**62)
        super().__init__(**shape)
'''


def fingerprint(rung: dict[str, Any], manifest: dict[str, Any], baselines: list[str]) -> str:
    """Hash of the rung, the text and what short trainings give: 20 hex digits."""
    short = {**rung, "tasks": [{**task, "steps": _FINGERPRINT_STEPS, "snapshots": 1} for task in rung["tasks"]]}
    trials = {}
    for baseline in baselines:
        row = train_and_score_on(null_program(baseline, 0), short, manifest, 0, ("search",))["search"]
        # Three digits: processors differ in the last bits of a sum.
        trials[baseline] = f"{row[_METRIC]:.3f}"
    text = json.dumps({"rung": rung, "text": manifest["hash"], "trials": trials}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


class NullsTable:
    """Rows {baseline, replicate, rate, seed, bits} of one fingerprint in one JSON file, replaced as a whole."""

    def __init__(self, path: Path, rung: str, name: str) -> None:
        self.path = path
        self._head = {"fingerprint": name, "rung": rung}
        self._rows: dict[Key, Bits] = {}
        self._take_stored()

    def has(self, key: Key) -> bool:
        return key in self._rows

    def add(self, key: Key, bits: Bits) -> None:
        self._take_stored()  # What another run has added since stays.
        self._rows[key] = bits
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        rows = [{**key._asdict(), "bits": self._rows[key]} for key in sorted(self._rows)]
        new.write_text(json.dumps({**self._head, "rows": rows}))
        new.replace(self.path)

    def _take_stored(self) -> None:
        if not self.path.exists():
            return
        for row in json.loads(self.path.read_text())["rows"]:
            self._rows[Key(*(row[field] for field in Key._fields))] = row["bits"]


def _rate(text: str) -> float:
    value = float(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{value}; it must be a number above 0")
    return value


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value}; it must be 1 or more")
    return value


def _not_negative(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{value}; it must be 0 or more")
    return value


if __name__ == "__main__":
    sys.exit(main())

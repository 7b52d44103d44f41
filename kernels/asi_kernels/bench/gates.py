"""`python -m asi_kernels.bench.gates`: CPU seconds of each gate, by baseline, and of any other programs named.

One thread; the request is the one that a campaign sends for a candidate. Other load disturbs CPU seconds by some ten
per cent. Exit status 1 when a program fails a gate: they are all meant to be honest.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

from asi_kernels.data import prepare
from asi_kernels.gates.check import run
from asi_kernels.gates.outcome import GATES
from asi_kernels.generate.baselines import baseline_genome, baseline_names
from asi_kernels.generate.emit import emit_program

RUNGS_FILE = Path(prepare.__file__).parent.parent / "schemas" / "rungs.json"
_REFERENCE = "deltanet"
_BASELINE_FLOPS_LIMIT = 4.0  # baselines are what is compared with, whatever they cost


def main(arguments: list[str] | None = None) -> int:
    rungs = json.loads(RUNGS_FILE.read_text())
    parser = argparse.ArgumentParser(prog="python -m asi_kernels.bench.gates", description=__doc__.splitlines()[0])
    parser.add_argument("--rung", default="quick", choices=sorted(rungs))
    parser.add_argument("--cuts", type=int, default=8, help="random cuts of the causality gate (default 8)")
    parser.add_argument("--heads", type=int, default=None, help="heads instead of the rung's")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--baselines", nargs="*", default=list(baseline_names()), choices=baseline_names(), metavar="NAME"
    )
    parser.add_argument("--programs", nargs="*", type=Path, default=[], help="mixer files beside the baselines")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    rung = rungs[options.rung] | ({"heads": options.heads} if options.heads else {})
    with tempfile.TemporaryDirectory() as folder:
        for name in {*options.baselines, _REFERENCE}:
            (Path(folder) / f"{name}.py").write_text(emit_program(baseline_genome(name), name, "benchmark"))
        programs = [Path(folder) / f"{name}.py" for name in options.baselines] + options.programs
        request = {
            "referencePath": str(Path(folder) / f"{_REFERENCE}.py"),
            "rung": rung,
            "seed": options.seed,
            "cuts": options.cuts,
            "flopsLimit": _BASELINE_FLOPS_LIMIT,
        }
        results = {path.stem: run(request | {"programPath": str(path)}, Path(folder)) for path in programs}
    _print_table(results)
    fallen = {name: result["detail"] for name, result in results.items() if result["status"] == "fail"}
    for name, detail in fallen.items():
        print(f"{name}: {detail}")
    return 1 if fallen else 0


def _print_table(results: dict[str, dict[str, Any]]) -> None:
    """CPU seconds, a gate a row and a program a column group's total at the end."""
    width = max((len(name) for name in results), default=0)
    print(f"{'program':{width}} {'total':>7}  " + " ".join(f"{gate[:9]:>9}" for gate in GATES))
    for name, result in results.items():
        seconds = {row["gate"]: row["seconds"] for row in result["gates"]}
        print(f"{name:{width}} {result['cpuSeconds']:7.2f}  " + " ".join(f"{seconds[gate]:9.2f}" for gate in GATES))
    if results:
        mean = sum(result["cpuSeconds"] for result in results.values()) / len(results)
        longest = max(results, key=lambda name: results[name]["cpuSeconds"])
        print(f"mean {mean:.2f} CPU seconds; longest {results[longest]['cpuSeconds']:.2f} ({longest})")


if __name__ == "__main__":
    sys.exit(main())

"""`python -m asi_kernels.bench.effort [PROGRAM.py ...]`: what whole trainings cost, against what the gates count.

Trains and scores every baseline and the named programs once and prints, as JSON, what the rule of training effort
(workflows/rules/training-effort.ts) goes by: the sizes that the gates count and the CPU seconds of training and of
answering. The baselines and test/fixtures/programs/honest at `quick` are test/workflows/rules/measured-efforts.json.

Other load makes CPU seconds longer by some ten per cent.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from asi_kernels.gates.sizes import measure_sizes
from asi_kernels.generate.baselines import baseline_genome, baseline_names
from asi_kernels.generate.emit import emit_program
from asi_kernels.programs import load_mixer_class

from .trial import RUNGS_FILE, prepared_text, train_and_score

_REFERENCE = "deltanet"
_SEED = 1


def main(arguments: list[str] | None = None) -> int:
    rungs = json.loads(RUNGS_FILE.read_text())
    parser = argparse.ArgumentParser(prog="python -m asi_kernels.bench.effort", description=__doc__.splitlines()[0])
    parser.add_argument("programs", nargs="*", type=Path, metavar="PROGRAM.py", help="mixer files beside the baselines")
    parser.add_argument("--rung", default="quick", choices=sorted(rungs))
    parser.add_argument("--out", type=Path, default=None, help="file for the JSON (default stdout)")
    options = parser.parse_args(arguments)
    texts = {name: emit_program(baseline_genome(name), name, "benchmark") for name in baseline_names()}
    texts |= {path.stem: path.read_text() for path in options.programs}
    with tempfile.TemporaryDirectory() as folder:
        manifest = prepared_text(Path(folder) / "cache")
        rows = []
        for name, text in texts.items():
            rows.append(measure(name, text, texts[_REFERENCE], rungs[options.rung], manifest, Path(folder)))
            print(
                f"{name:28} train {rows[-1]['trainSeconds']:6.2f} s, answer {rows[-1]['answerSeconds']:5.2f} s",
                file=sys.stderr,
            )
    report = json.dumps({"rung": options.rung, "programs": rows}, indent=1)
    if options.out is None:
        print(report)
    else:
        options.out.write_text(report + "\n")
    return 0


def measure(
    name: str, text: str, reference: str, rung: dict[str, Any], manifest: dict[str, Any], folder: Path
) -> dict[str, Any]:
    """Name, sizes (the contract's modelSize without layout), and CPU seconds of one trial."""
    for file_name, content in (("mixer.py", text), ("reference.py", reference)):
        (folder / file_name).write_text(content)
    mixer, reference_mixer = (load_mixer_class(folder / file_name) for file_name in ("mixer.py", "reference.py"))
    sizes = [size.row() for size in measure_sizes(mixer, reference_mixer, rung, _SEED)]
    found = train_and_score(text, rung, manifest, _SEED)
    return {
        "name": name,
        "sizes": [{key: value for key, value in size.items() if key != "layout"} for size in sizes],
        "trainSeconds": round(found["trainSeconds"], 2),
        "answerSeconds": round(found["answerSeconds"], 2),
    }


if __name__ == "__main__":
    sys.exit(main())

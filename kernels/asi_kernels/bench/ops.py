"""Speed of the emitted baselines on one CPU thread: forward and backward of the mixer alone.

`python -m asi_kernels.bench.ops [--repeats 20] [--batch 16] [--length 128] [--hidden 64] [--heads 2] [--json]` prints
tokens per CPU-second of each baseline and its ratio to linear attention. CPU time of this process, not wall time, and
every round visits every baseline, so a busy machine shifts all of them alike; the fastest round counts.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass

import torch

from asi_kernels.generate.baselines import baseline_genome, baseline_names
from asi_kernels.generate.emit import emit_program


@dataclass(frozen=True)
class Shape:
    """What a trial feeds a mixer: B sequences of T tokens of width hidden."""

    batch: int = 16
    length: int = 128
    hidden: int = 64
    heads: int = 2


@dataclass(frozen=True)
class Speed:
    """Tokens per CPU-second through forward and backward, and the ratio to linear attention's."""

    baseline: str
    tokens_per_cpu_second: float
    ratio: float


def measure(shape: Shape, repeats: int) -> list[Speed]:
    """Times every baseline `repeats` times in turn; linear attention is the first and the measure of the others."""
    torch.set_num_threads(1)
    mixers = {name: build_mixer(name, shape) for name in baseline_names()}
    torch.manual_seed(0)
    x = torch.randn(shape.batch, shape.length, shape.hidden, requires_grad=True)
    dy = torch.randn_like(x)
    best = dict.fromkeys(mixers, float("inf"))
    for _ in range(repeats):
        for name, mixer in mixers.items():
            best[name] = min(best[name], _round_seconds(mixer, x, dy))
    tokens = shape.batch * shape.length
    reference = best[next(iter(best))]
    return [Speed(name, tokens / seconds, reference / seconds) for name, seconds in best.items()]


def build_mixer(name: str, shape: Shape) -> torch.nn.Module:
    """The emitted program of a baseline, built in float32 from seed 0."""
    namespace: dict[str, type[torch.nn.Module]] = {}
    exec(compile(emit_program(baseline_genome(name), name, "speed"), f"<{name}>", "exec"), namespace)
    torch.manual_seed(0)
    return namespace["Mixer"](shape.hidden, shape.heads)


def _round_seconds(mixer: torch.nn.Module, x: torch.Tensor, dy: torch.Tensor, steps: int = 3) -> float:
    """Mean CPU seconds of one forward and backward over `steps` in a row, after one that warms the caches."""
    inputs = (x, *mixer.parameters())
    torch.autograd.grad(mixer(x)[0], inputs, dy)
    started = time.process_time()
    for _ in range(steps):
        torch.autograd.grad(mixer(x)[0], inputs, dy)
    return (time.process_time() - started) / steps


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m asi_kernels.bench.ops", description=__doc__)
    parser.add_argument("--repeats", type=int, default=20)
    for name, default in vars(Shape()).items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--json", action="store_true", help="one JSON object a baseline in place of the table")
    arguments = parser.parse_args()
    shape = Shape(arguments.batch, arguments.length, arguments.hidden, arguments.heads)
    for speed in measure(shape, arguments.repeats):
        if arguments.json:
            print(json.dumps(vars(speed)))
        else:
            rate = f"{speed.tokens_per_cpu_second:10,.0f} tokens/CPU-s"
            print(f"{speed.baseline:22s} {rate} {speed.ratio:6.2f} x linear attention")


if __name__ == "__main__":
    main()

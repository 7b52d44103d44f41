"""Causality: what comes after a cut must not reach what comes before it.

Two looks. Forward: the future is replaced, and the past outputs must be bitwise equal, since both runs have one
shape and therefore one order of summation; only transforms (FFT), which mix rounding over the whole length, get a
tolerance. Backward: the gradient of past outputs with respect to future inputs must be zero. Rows of one batch carry
one cut each; when the batch gate has failed, rows run one at a time, so that a leak between rows is not taken for a
leak from the future.

A leak that opens on rare content needs luck: K random cuts find one that shows at a share e of cuts with probability
1 - (1 - e)^K. The request says K for each layer and mode; borders and long lengths come on top. Before each second
cut stands what rare leaks are triggered by: a zero vector, a repeated one, a spike.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import nn

from .effort import Effort
from .outcome import Outcome, failed, passed
from .subject import Subject, call, evaluate, mode, relative_difference, scale_of

_LONG_ROWS = 2
_LONG_CUTS = 3
_ROUNDINGS = 1024  # of a transform; the most over two honest ones, four seeds and 300 cuts: 78 and 181
_CUTS_A_BATCH = 32
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class _Leak:
    size: float
    place: str


def causality(subject: Subject, effort: Effort, *, num_random: int, rows_apart: bool) -> Outcome:
    """`num_random` cuts at random places in each layer and mode; bitwise but for transforms."""
    limit = subject.noise_limit if subject.work.transforms else 0.0
    worst, num_cuts = _Leak(0.0, ""), 0
    for probe in _probes(subject, effort, num_random, rows_apart):
        found = _gradient_leak(subject, probe) if probe.backward else _forward_leak(subject, probe)
        worst = max(worst, found, key=lambda leak: leak.size)
        num_cuts += len(probe.cuts)
    note = f"; {effort.note}" if effort.note else ""
    if worst.size > limit:
        level = " (rounding level: a scale or pivot is taken from the future)" if worst.size <= 1e-9 else ""
        return failed(f"{worst.place}{level}{note}", worst.size, limit)
    lengths = f"lengths {effort.border_length}, {', '.join(map(str, effort.long_lengths))}"
    return passed(
        f"{num_cuts} cuts at {lengths}, layers {', '.join(map(str, subject.layer_indices))}, train and eval: "
        f"replacing the future changes no earlier output; {num_random} cuts of each layer and mode are random, which "
        f"finds a leak at {found_share(num_random):.2g} of cuts with {_CONFIDENCE:.0%}{note}",
        worst.size,
        limit,
    )


def found_share(num_random: int) -> float:
    """Smallest share e of cuts at which a leak shows that 1 - (1 - e)^K finds with 95 %."""
    return 1.0 - (1.0 - _CONFIDENCE) ** (1.0 / num_random)


def _probes(subject: Subject, effort: Effort, num_random: int, rows_apart: bool) -> Iterator[_Probe]:
    """Chunk borders (and every cut in one of the modes), random cuts and long lengths in both modes for each layer,
    one backward pass, a second seed.
    """
    length = effort.border_length
    inner = tuple(cut for cut in effort.borders if cut < length)
    for layer_index in subject.layer_indices:
        mixer = subject.build(layer_index=layer_index)
        base = _Probe(mixer, layer_index, length, (), subject.seed, False, rows_apart)
        every_cut = effort.every_cut and layer_index == 0 and not rows_apart
        for training in (True, False):
            batches = _random_batches(subject, effort, num_random, seed=2 * (subject.seed + layer_index) + training)
            first = (*inner, *batches[0][1])
            # Even cuts in one mode and odd ones in the other: content is as varied, at half the cost.
            rest = tuple(cut for cut in range(1 + training, length, 2) if cut not in first) if every_cut else ()
            yield replace(base, cuts=(*first, *rest), training=training)
            for draw, (batch_length, cuts) in enumerate(batches[1:], start=1):
                yield replace(base, length=batch_length, cuts=cuts, training=training, draw=draw)
            if not effort.thorough and training != bool(layer_index % 2):
                continue
            for long in effort.long_lengths:
                cuts = _cuts(long, _LONG_CUTS, seed=subject.seed + long)[-_LONG_ROWS:]
                yield replace(base, length=long, cuts=cuts, training=training)
        backward = (*inner, *_cuts(length, _LONG_CUTS, seed=subject.seed + layer_index))
        yield replace(base, cuts=backward, training=True, backward=True)
    if effort.thorough:
        other = subject.seed + 1
        mixer = subject.build(seed=other)
        cuts = (*inner, *_cuts(length, _LONG_CUTS, seed=other))
        for training in (True, False):
            yield _Probe(mixer, 0, length, cuts, other, training, rows_apart)


def _random_batches(
    subject: Subject, effort: Effort, num_random: int, *, seed: int
) -> list[tuple[int, tuple[int, ...]]]:
    """(length, cuts) until there are `num_random` cuts; the first batch is short, as it shares a pass with the borders.
    Further ones alternate between the border length and the longest that the rung trains on.
    """
    trained = [length for length in effort.long_lengths if length in subject.shape.lengths]
    lengths = (effort.border_length, max([effort.border_length, *trained]))
    sizes = [min(8, num_random)]
    while sum(sizes) < num_random:
        sizes.append(min(_CUTS_A_BATCH, num_random - sum(sizes)))
    return [
        (lengths[index % 2], _cuts(lengths[index % 2], size, seed=1_000 * seed + index))
        for index, size in enumerate(sizes)
    ]


@dataclass(frozen=True)
class _Probe:
    mixer: nn.Module
    layer_index: int
    length: int
    cuts: tuple[int, ...]
    seed: int
    training: bool
    rows_apart: bool
    backward: bool = False
    draw: int = 0  # of the contents, where more than one batch is drawn

    def place(self, row: int) -> str:
        words = "train" if self.training else "eval"
        return f"cut {self.cuts[row]} of length {self.length}, layer {self.layer_index}, {words} mode, seed {self.seed}"


def _cuts(length: int, count: int, *, seed: int) -> tuple[int, ...]:
    """Random cuts, the last of them near the end."""
    draw = random.Random(seed)
    chosen = [draw.randrange(1, length) for _ in range(count - 1)]
    return (*chosen, length - 1 - draw.randrange(min(4, length - 1)))


def _place_trigger(subject: Subject, x: torch.Tensor, row: int, cut: int) -> None:
    """What a rare leak may wait for, at the last position before the cut of each second row."""
    if row % 6 == 1 and subject.zero_is_finite:
        x[row, cut - 1] = 0.0
    elif row % 6 == 3 and cut > 1:
        x[row, cut - 1] = x[row, cut - 2]
    elif row % 6 == 5:
        x[row, cut - 1] *= 8.0


def _forward_leak(subject: Subject, probe: _Probe) -> _Leak:
    rows = len(probe.cuts)
    # Seeds differ by length and mode, so that over all probes each cut meets several kinds of content.
    draw = 13 * probe.length + 2 * probe.seed + probe.training + 10_007 * probe.draw
    x = subject.inputs(rows, probe.length, seed=draw)
    other = subject.inputs(rows, probe.length, seed=draw + 5_001)
    for row, cut in enumerate(probe.cuts):
        _place_trigger(subject, x, row, cut)
    changed = x.clone()
    for row, cut in enumerate(probe.cuts):
        changed[row, cut:] = other[row, cut:] * (8.0 if row % 3 == 2 else 1.0)
    with mode(probe.mixer, probe.training):
        y, y_changed = (_outputs(probe, value) for value in (x, changed))
    worst = _Leak(0.0, "")
    for row, cut in enumerate(probe.cuts):
        if _is_rounding(subject, y_changed[row, :cut] - y[row, :cut], y[row]):
            continue
        size = relative_difference(y_changed[row, :cut], y[row, :cut])
        if size > worst.size:
            first = int((y_changed[row, :cut] != y[row, :cut]).any(-1).int().argmax())
            worst = _Leak(
                size,
                f"replacing positions from {cut} on changes outputs from position {first} on by up to {size:.2g} rms "
                f"at {probe.place(row)}",
            )
    return worst


def _is_rounding(subject: Subject, difference: torch.Tensor, outputs: torch.Tensor) -> bool:
    """Whether nothing but a transform's rounding differs, by all outputs [L, D] of the row. Before a cut they may all
    be zero, as where only zeros came in, and rounding over the whole row would then be held against itself. The scale
    is that of the middle position, so that a few large ones make no rounding of a leak.
    """
    if not subject.work.transforms:
        return False
    scale = outputs.pow(2).mean(-1).sqrt().median().item()
    limit = min(subject.noise_limit, _ROUNDINGS * torch.finfo(subject.work.coarsest or torch.float64).eps)
    return math.isfinite(scale) and difference.abs().max().item() <= limit * scale


def _outputs(probe: _Probe, x: torch.Tensor) -> torch.Tensor:
    if not probe.rows_apart:
        return evaluate(probe.mixer, x, seed=probe.seed)
    return torch.cat([evaluate(probe.mixer, row, seed=probe.seed) for row in x.split(1)])


def _gradient_leak(subject: Subject, probe: _Probe) -> _Leak:
    x = subject.inputs(len(probe.cuts), probe.length, seed=77).requires_grad_()
    rows = x.split(1) if probe.rows_apart else (x,)
    past = torch.zeros_like(x)
    for row, cut in enumerate(probe.cuts):
        past[row, :cut] = 1.0
    with mode(probe.mixer, probe.training):
        y = torch.cat([call(probe.mixer, row, seed=probe.seed) for row in rows])
    weights = torch.randn(y.shape, generator=torch.Generator().manual_seed(probe.seed), dtype=y.dtype)
    if not y.requires_grad:
        return _Leak(0.0, "")  # the gradient gate reports an output without a graph
    (gradient,) = torch.autograd.grad((y * weights * past).sum(), x, allow_unused=True)
    if gradient is None:
        return _Leak(0.0, "")
    worst = _Leak(0.0, "")
    scale = scale_of(gradient)
    for row, cut in enumerate(probe.cuts):
        size = gradient[row, cut:].abs().max().item() / scale if scale > 0 else 0.0
        if not size <= worst.size:
            worst = _Leak(
                float("inf") if math.isnan(size) else size,
                f"outputs before {cut} have a gradient of {size:.2g} rms with respect to later inputs "
                f"at {probe.place(row)}",
            )
    return worst

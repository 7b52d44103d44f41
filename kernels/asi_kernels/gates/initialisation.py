"""Initialisation: every parameter has a value that its seed decides, and keeps it until the optimiser moves it.

Memory that torch hands out uninitialised is filled with one value, then with another (poison.py): what differs between
the two was read before it was written, in the parameters or in a forward pass. Two builds from one seed must be equal
bit for bit. A tensor that is the same for every seed is a constant, unless a generator of the program's own drew it:
then training from several seeds would measure one start again and again. So it would where a formula sets the weights:
constants are a bias, a decay or a few taps, and not most of what is trained.
"""

from __future__ import annotations

import torch
from torch import nn

from .outcome import Outcome, failed, passed
from .poison import Poison
from .subject import Subject, call, evaluate, relative_difference

_FILLS = (-3.0, 1e6)
_LENGTH = 37
_LEAST_DRAWN = 0.5
"""Share of the trainable numbers that must differ from seed to seed."""


def initialisation(subject: Subject) -> Outcome:
    constant = total = numbers = drawn = 0
    for layer_index in subject.layer_indices:
        problem = _problem(subject, layer_index)
        if problem:
            return failed(f"{problem} (layer {layer_index})")
        values, others = (
            _values(subject.build(layer_index=layer_index, dtype=torch.float32, seed=seed, noise=0.0))
            for seed in (subject.seed, subject.seed + 1)
        )
        total += len(values)
        constant += sum(_same(value, others.get(name)) for name, value in values.items())
        trained = {name: value for name, value in values.items() if name.startswith("parameter")}
        # Zero is a common start of what is to open later, and nobody's choice of a lucky one.
        numbers += sum(int((value != 0).sum()) for value in trained.values())
        drawn += sum(_num_other(value, others.get(name)) for name, value in trained.items())
    if numbers and drawn < _LEAST_DRAWN * numbers:
        return failed(
            f"{drawn:,} of {numbers:,} trainable numbers other than zero differ between two seeds: the others start "
            "alike whatever the seed, so that several seeds would measure one start again and again; draw weights from "
            "torch's generator",
            drawn / numbers,
            _LEAST_DRAWN,
        )
    return passed(
        f"{total} tensors are finite, the same for the same seed whatever the memory held, and unmoved by mode, dtype "
        f"and forward; {total - constant} differ between seeds, {constant} are constants",
    )


def _problem(subject: Subject, layer_index: int) -> str:
    built: list[nn.Module] = []
    for fill in _FILLS:
        with Poison(fill) as poison:
            built.append(subject.build(layer_index=layer_index, dtype=torch.float32, noise=0.0))
        if poison.own_generators:
            return "the initial values come from a generator of the program's own; draw from torch's, which is seeded"
    first, second = map(_values, built)
    for name, value in first.items():
        if not torch.isfinite(value).all() or not torch.isfinite(second[name]).all():
            return f"{name} is not finite or not initialised"
        if not _same(value, second[name]):
            return f"{name} is not initialised: two builds from one seed differ"
    x = subject.inputs(2, _LENGTH, seed=91, dtype=torch.float32)
    outputs = []
    for mixer, fill in zip(built, _FILLS, strict=True):
        with Poison(fill):
            outputs.append(evaluate(mixer.eval(), x, seed=subject.seed))
    if not torch.equal(*outputs):
        size = relative_difference(*outputs)
        return f"forward reads memory that it never wrote: outputs differ by {size:.2g} rms between two builds"
    return _moved(built[0].train(), first, x, subject.seed)


def _moved(mixer: nn.Module, before: dict[str, torch.Tensor], x: torch.Tensor, seed: int) -> str:
    """What changed until after the first forward pass in train mode; `before` was taken right after construction."""
    call(mixer, x, seed=seed)
    after = _values(mixer)
    appeared = sorted(after.keys() - before.keys())
    if appeared:
        return f"{appeared[0]} appears in the first forward pass; the optimiser, which is made before, never sees it"
    for name, value in before.items():
        if name.startswith("parameter") and not _same(value, after.get(name)):
            return f"{name} is overwritten between construction and the first training step"
    return ""


def _values(mixer: nn.Module) -> dict[str, torch.Tensor]:
    """Copies of what a checkpoint would hold. A buffer left out of it may be a cache that the first call makes."""
    kept = mixer.state_dict().keys()
    named = {f"parameter {name}": value for name, value in mixer.named_parameters()}
    named |= {f"buffer {name}": value for name, value in mixer.named_buffers() if name in kept}
    return {name: value.detach().clone() for name, value in named.items()}


def _num_other(one: torch.Tensor, other: torch.Tensor | None) -> int:
    """Numbers other than zero that differ."""
    differs = torch.ones_like(one, dtype=torch.bool) if other is None or one.shape != other.shape else one != other
    return int((differs & (one != 0)).sum())


def _same(one: torch.Tensor, other: torch.Tensor | None) -> bool:
    return other is not None and one.shape == other.shape and torch.equal(one, other)

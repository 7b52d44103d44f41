"""Streaming: a sequence in pieces, with the state carried over, equals the whole; so does one token at a time.

The contract lets a mixer return no state, or take none: then there is nothing to judge and the gate does not apply.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import torch
from torch import nn

from .outcome import Outcome, failed, not_applicable, passed
from .subject import Subject, call_with_state, mode, relative_difference

_LENGTH = 71  # two chunks of 32 and a rest
_TOKENS = 35
_SPLITS = ((1,), (16, 33), (31, 32), (64,), (70,))
_RANDOM_SPLITS = 2


@dataclass(frozen=True)
class _Difference:
    size: float
    place: str


def streaming(subject: Subject) -> Outcome:
    limit, worst, silent, num_splits = subject.noise_limit, _Difference(0.0, ""), [], 0
    for layer_index in subject.layer_indices:
        mixer = subject.build(layer_index=layer_index)
        for training in (False, True):
            if subject.stochastic(training):
                continue
            where = f"layer {layer_index}, {'train' if training else 'eval'} mode"
            with mode(mixer, training), torch.no_grad():
                reason = _silent(subject, mixer)
                if reason:
                    silent.append(f"{where}: {reason}")
                    continue
                splits = _pieces(subject.seed, thorough=layer_index == 0, training=training)
                num_splits += len(splits)
                worst = max(worst, _worst(subject, mixer, splits, where), key=lambda found: found.size)
    if worst.size > limit:
        return failed(f"{worst.place} differs from the whole by {worst.size:.2g} rms", worst.size, limit)
    if num_splits == 0:
        return not_applicable(
            f"{silent[0] if silent else 'every mode draws random numbers'}; a sequence cannot be continued, which the "
            "contract allows"
        )
    left_out = f"; not judged: {'; '.join(silent)}" if silent else ""
    return passed(
        f"{num_splits} splits, token by token among them, equal the whole{subject.precision_note}{left_out}",
        worst.size,
        limit,
    )


def _silent(subject: Subject, mixer: nn.Module) -> str:
    """Why nothing can be continued, or an empty string. A state is ignored when outputs are those of a fresh call."""
    x = subject.inputs(2, 24, seed=42)
    _, state = call_with_state(mixer, x[:, :12], None, seed=9)
    if state is None:
        return "no state is returned"
    continued, _ = call_with_state(mixer, x[:, 12:], state, seed=9)
    fresh, _ = call_with_state(mixer, x[:, 12:], None, seed=9)
    whole, _ = call_with_state(mixer, x, None, seed=9)
    pointwise = relative_difference(whole[:, 12:], fresh) <= subject.noise_limit  # nothing is to be remembered
    return "the returned state is ignored" if torch.equal(continued, fresh) and not pointwise else ""


def _worst(subject: Subject, mixer: nn.Module, splits: tuple[tuple[int, ...], ...], where: str) -> _Difference:
    x = subject.inputs(2, _LENGTH, seed=41)
    whole, _ = call_with_state(mixer, x, None, seed=9)
    worst = _Difference(0.0, "")
    for split in splits:
        length = _TOKENS if len(split) == _TOKENS - 1 else _LENGTH
        size = relative_difference(_in_pieces(mixer, x[:, :length], split), whole[:, :length])
        if size > worst.size:
            words = "token by token" if len(split) == _TOKENS - 1 else f"split at {', '.join(map(str, split))}"
            worst = _Difference(size, f"a sequence of {length} {words} ({where})")
    return worst


def _in_pieces(mixer: nn.Module, x: torch.Tensor, split: tuple[int, ...]) -> torch.Tensor:
    outputs, state = [], None
    for start, end in zip((0, *split), (*split, x.shape[1]), strict=True):
        y, state = call_with_state(mixer, x[:, start:end], state, seed=9)
        outputs.append(y)
    return torch.cat(outputs, dim=1)


def _pieces(seed: int, *, thorough: bool, training: bool) -> tuple[tuple[int, ...], ...]:
    """Where to cut: chunk borders and random places in the first layer, else one split; token by token in eval mode,
    which is how text is generated.
    """
    tokens = () if training else (tuple(range(1, _TOKENS)),)
    if training or not thorough:
        return (_SPLITS[1], *tokens)
    draw = random.Random(seed)
    drawn = (tuple(sorted(draw.sample(range(1, _LENGTH), 4))) for _ in range(_RANDOM_SPLITS))
    return (*_SPLITS, *drawn, *tokens)

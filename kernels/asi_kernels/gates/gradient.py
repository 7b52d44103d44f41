"""Gradient: every parameter can learn (a gradient that is not zero for some input), no gradient is NaN or infinite,
and gradients are those of the forward pass.

The last refuses straight-through estimators and gradients that are scaled or made orthogonal on the way: what they gain
is an optimiser's gain, and every architecture is trained by the same one here.
"""

from __future__ import annotations

import torch
from torch import nn

from ..gradients import LIMIT, Moved, unexplained_share
from ..programs import RAISED_BY_PROGRAMS
from .outcome import CandidateError, Outcome, failed, not_applicable, passed
from .subject import Subject, call, describe

_ROWS = 2
# The first length reaches every parameter of most mixers; the last reaches the taps of long filters.
_LENGTHS = (24, 40, 80)
_LEAST_CHANGE = 1e-6  # of an output of size one, below which float32 says nothing


def gradient(subject: Subject) -> Outcome:
    counted = 0
    for layer_index in subject.layer_indices:
        mixer = subject.build(layer_index=layer_index, training=True)
        silent = {name for name, parameter in mixer.named_parameters() if parameter.requires_grad}
        frozen = [name for name, parameter in mixer.named_parameters() if not parameter.requires_grad]
        if frozen:
            return failed(f"parameter {frozen[0]} has requires_grad off; make it a buffer or let it learn")
        if not silent:
            continue  # a layer may be without parameters
        counted += len(silent)
        for attempt, length in enumerate(_LENGTHS):
            found = _gradients(mixer, subject.inputs(_ROWS, length, seed=61 + attempt), seed=subject.seed)
            silent -= {name for name, value in found.items() if value is not None and bool((value != 0).any())}
            if not silent:
                break
        if silent:
            names = ", ".join(sorted(silent)[:5])
            return failed(
                f"no gradient reaches {names} (layer {layer_index}, lengths {', '.join(map(str, _LENGTHS))}, "
                f"randomised parameters, seed {subject.seed}); remove what is not used or connect it to the output",
                float(len(silent)),
                0.0,
            )
    if counted == 0:
        return not_applicable("the mixer has no parameters")
    broken = _broken_gradient(subject)
    if broken:
        return failed(broken)
    share, place = _most_unexplained(subject)
    if share > LIMIT:
        return failed(
            f"gradients leave {share:.0%} of the output's change unexplained ({place}): they are not those of the "
            "forward pass; use the gradient that autograd finds, without straight-through, scaled or detached parts",
            share,
            LIMIT,
        )
    return passed(
        f"a gradient reaches each of {counted} parameter tensors; gradients are finite in float32 and explain "
        f"all but {share:.1%} of the output's change",
        share,
        LIMIT,
    )


def _most_unexplained(subject: Subject) -> tuple[float, str]:
    """The layer whose gradients of parameters and input explain least, in the precision of training."""
    worst, place = 0.0, ""
    for layer_index in subject.layer_indices:
        mixer = subject.build(layer_index=layer_index, dtype=torch.float32, training=True)
        if not any(True for _ in mixer.parameters()):
            continue
        share = _unexplained(mixer, subject, 91 + layer_index)
        if share >= worst:
            worst, place = share, f"layer {layer_index}, float32, seed {subject.seed}"
    return worst, place


def _unexplained(mixer: nn.Module, subject: Subject, seed: int) -> float:
    x = subject.inputs(_ROWS, _LENGTHS[1], seed=seed, dtype=torch.float32).requires_grad_()
    buffers = [(buffer, buffer.clone()) for buffer in mixer.buffers()]
    weights = torch.randn(x.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)

    def output() -> torch.Tensor:
        with torch.no_grad():
            for buffer, first in buffers:
                buffer.copy_(first)
        # A copy: a mixer may change its input in place.
        return (call(mixer, x.clone(), seed=subject.seed).double() * weights).sum()

    tensors = [x, *mixer.parameters()]
    try:
        value = output()
        gradients = torch.autograd.grad(value, tensors, allow_unused=True)
    except RAISED_BY_PROGRAMS as error:
        raise CandidateError(f"backward of a {list(x.shape)} input raised {describe(error)}") from error
    moved = [Moved(tensor, gradient) for tensor, gradient in zip(tensors, gradients, strict=True)]
    return unexplained_share(
        moved,
        lambda: output().item(),
        least_change=_LEAST_CHANGE * weights.norm().item(),
        generator=torch.Generator().manual_seed(seed),
    )


def _gradients(mixer: nn.Module, x: torch.Tensor, *, seed: int) -> dict[str, torch.Tensor | None]:
    y = call(mixer, x, seed=seed)
    if not y.requires_grad:
        raise CandidateError("the output carries no gradient at all; do not detach it or compute it under no_grad")
    weights = torch.randn(y.shape, generator=torch.Generator().manual_seed(seed), dtype=y.dtype)
    names, parameters = zip(*mixer.named_parameters(), strict=True)
    try:
        values = torch.autograd.grad((y * weights).sum(), parameters, allow_unused=True)
    except RAISED_BY_PROGRAMS as error:
        raise CandidateError(f"backward of a {list(x.shape)} input raised {describe(error)}") from error
    return dict(zip(names, values, strict=True))


def _broken_gradient(subject: Subject) -> str:
    """The first gradient that is not finite, in the precision and with the parameters that training begins with."""
    for layer_index in subject.layer_indices:
        mixer = subject.build(layer_index=layer_index, dtype=torch.float32, noise=0.0, training=True)
        if not any(True for _ in mixer.parameters()):
            continue
        normal = subject.inputs(_ROWS, 40, seed=71, dtype=torch.float32)
        for words, x in (
            ("normal", normal),
            ("constant", normal[:, :1].expand_as(normal).contiguous()),
            ("large (10 times normal)", 10 * normal),
        ):
            for name, value in _gradients(mixer, x, seed=subject.seed).items():
                if value is not None and not torch.isfinite(value).all():
                    where = f"layer {layer_index}, own initial parameters, seed {subject.seed}"
                    return f"the gradient of {name} is not finite for {words} input ({where})"
    return ""

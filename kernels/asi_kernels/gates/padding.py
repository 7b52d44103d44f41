"""Padding: documents that share a batch or follow one another stay apart where no state is carried.

What follows a document in its row (zeros, noise) changes nothing in it; a call without a state begins afresh whatever
was computed before; a state that was handed over is not written to, so that two continuations can start from it.
"""

from __future__ import annotations

import torch
from torch import nn

from .outcome import Outcome, failed, passed
from .subject import Subject, call_with_state, evaluate, mode, relative_difference

_LENGTH = 40
_DOCUMENTS = (17, 31, 32, 39)  # lengths of the documents, padded to _LENGTH


def padding(subject: Subject) -> Outcome:
    limit, worst, place, continued = subject.noise_limit, 0.0, "", 0
    for layer_index in subject.layer_indices:
        for training in (False, True):
            mixer = subject.build(layer_index=layer_index)
            where = f"layer {layer_index}, {'train' if training else 'eval'} mode"
            with mode(mixer, training), torch.no_grad():
                found = _paddings(subject, mixer, training)
                if not subject.stochastic(training):
                    documents = _documents(subject, mixer)
                    continued += len(documents) > 1
                    found += documents
            for name, size, bound in found:
                if size > bound:
                    return failed(f"{name}: {size:.2g} rms ({where})", size, bound)
                if size > worst:
                    worst, place = size, f"; largest difference {size:.2g} ({name}, {where})"
    states = "two continuations from one state equal their wholes" if continued else "no state is carried"
    return passed(
        f"right padding with zeros or noise and documents computed before change nothing; {states}{place}"
        f"{subject.precision_note}",
        worst,
        limit,
    )


def _paddings(subject: Subject, mixer: nn.Module, training: bool) -> list[tuple[str, float, float]]:
    """Zeros against noise has one shape and is bitwise equal, transforms aside; padded against alone is so up to
    rounding.
    """
    bitwise = subject.noise_limit if subject.work.transforms else 0.0
    zeros = subject.inputs(len(_DOCUMENTS), _LENGTH, seed=31)
    noise = zeros.clone()
    other = subject.inputs(len(_DOCUMENTS), _LENGTH, seed=32)
    for row, length in enumerate(_DOCUMENTS):
        zeros[row, length:] = 0.0
        noise[row, length:] = 3.0 * other[row, length:]
    y, y_noise = (evaluate(mixer, x, seed=5) for x in (zeros, noise))
    found = []
    for row, length in enumerate(_DOCUMENTS):
        padded = f"a document of {length} padded to {_LENGTH}"
        size = relative_difference(y_noise[row, :length], y[row, :length])
        found.append((f"{padded} with zeros against noise", size, bitwise))
        if not subject.stochastic(training) and row % 2:
            alone = evaluate(mixer, zeros[row : row + 1, :length], seed=5)[0]
            size = relative_difference(y[row, :length], alone)
            found.append((f"{padded} with zeros against alone", size, subject.noise_limit))
    return found


def _documents(subject: Subject, mixer: nn.Module) -> list[tuple[str, float, float]]:
    """One document cold, another in two parts with the state carried, the first again; then two ways to go on from
    one state.
    """
    x = subject.inputs(4, _LENGTH, seed=33)
    first, second = x[:2], x[2:]
    cut = _LENGTH // 2
    cold, _ = call_with_state(mixer, first, None, seed=5)
    _, state = call_with_state(mixer, second[:, :cut], None, seed=5)
    if state is not None:
        call_with_state(mixer, second[:, cut:], state, seed=5)
    again, _ = call_with_state(mixer, first, None, seed=5)
    found = [("a call without a state after another document", relative_difference(again, cold), 0.0)]
    if state is None:
        return found
    _, state = call_with_state(mixer, first[:, :cut], None, seed=5)
    ways = (first[:, cut:], second[:, cut:], first[:, cut:])
    outputs = [call_with_state(mixer, way, state, seed=5)[0] for way in ways]
    size = relative_difference(outputs[2], outputs[0])
    found.append(("the same continuation twice from one state, which the calls between change", size, 0.0))
    return found

"""Length: the first n outputs do not depend on how many positions follow."""

from __future__ import annotations

from .effort import Effort
from .outcome import Outcome, failed, passed
from .subject import Subject, evaluate, mode, relative_difference


def length(subject: Subject, effort: Effort) -> Outcome:
    """f(x)[:, :n] for short totals n+1, n+16, 2n, for each long length, and around half of the longest."""
    limit, worst, place = subject.noise_limit, 0.0, ""
    short, long = effort.border_length // 2, effort.longest // 2
    totals = (short + 1, short + 16, 2 * short)
    for layer_index in subject.layer_indices:
        mixer = subject.build(layer_index=layer_index)
        reached = effort.long_lengths if effort.thorough or layer_index == 0 else ()
        cases = [(short, (*totals, *reached))]
        cases += [(long, (long + 1, long + 16, 2 * long))] if layer_index == 0 and effort.thorough else []
        for training in (False, True):
            if subject.stochastic(training):
                continue
            for n, others in cases:
                x = subject.inputs(2, max(others), seed=n)
                with mode(mixer, training):
                    y = evaluate(mixer, x[:, :n], seed=9)
                    for total in (other for other in others if other > n):
                        size = relative_difference(evaluate(mixer, x[:, :total], seed=9)[:, :n], y)
                        if size > worst:
                            where = f"layer {layer_index}, {'train' if training else 'eval'} mode, seed {subject.seed}"
                            worst, place = size, f"total length {total} against {n}, {where}"
    note = f"; {effort.note}" if effort.note else ""
    if worst > limit:
        return failed(f"the first outputs differ by {worst:.2g} rms: {place}{note}", worst, limit)
    agreed = f"first outputs agree over total lengths from {short} to {effort.longest}{subject.precision_note}"
    return passed(f"{agreed}{note}", worst, limit)

"""Size: the MLP width that makes a candidate's model as large as the reference's, and the arithmetic of both models.

Every comparison is between whole models of one parameter count, so a mixer that takes more pays with a narrower MLP.
The total is linear in the MLP width, so two models tell it for every width. Parameters are counted in real numbers: a
complex element is two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ..models.language_model import build_model, task_vocabulary
from ..programs import RAISED_BY_PROGRAMS
from ..snapshot_layout import entries_of_state, layout_of, numbers_of, own_numbers, ties_of_state, type_name
from .outcome import CandidateError, Outcome, failed, passed
from .subject import describe
from .work_counter import WorkCounter, all_uncounted, count_work, uncounted_words

PARAMETER_TOLERANCE = 0.02
STATE_TOLERANCE = 0.1
"""How much more than the reference's parameters a checkpoint may hold: buffers that last. A tensor of several names
counts once; the host sees to it that its copies in the checkpoint are equal. The worker decides the same once more
(workflows/rules/model-size.ts).
"""


@dataclass(frozen=True)
class LargestExtra:
    """The largest buffer of those that a model's state holds, by the name that it has there."""

    name: str
    shape: list[int]
    numbers: int

    def __str__(self) -> str:
        return (
            f"the buffer {self.name} {self.shape} of {self.numbers:,}; register a table that can be computed again "
            "with persistent=False, or make it shorter"
        )


@dataclass(frozen=True)
class TaskSize:
    """Sizes of one task's models. `width` is None when no MLP width comes within the tolerance; then `work` and
    `layout` are None too.
    """

    task: str
    width: int | None
    parameters: int
    mixer_parameters: int
    reference_parameters: int
    work: WorkCounter | None
    reference_work: WorkCounter
    tokens: int
    layout: dict[str, Any] | None
    largest_extra: LargestExtra | None

    @property
    def difference(self) -> float:
        return self.parameters / self.reference_parameters - 1.0

    @property
    def state_difference(self) -> float:
        """Of all numbers that the model's state holds to the reference's parameters; 0 where no width matches."""
        return own_numbers(self.layout) / self.reference_parameters - 1.0 if self.layout else 0.0

    @property
    def flops_ratio(self) -> float:
        return self.work.total / self.reference_work.total if self.work else float("inf")

    def row(self) -> dict[str, Any]:
        """The contract's modelSize; only for a matched model."""
        assert self.width is not None and self.work is not None, self
        return {
            "task": self.task,
            "mlpHidden": self.width,
            "parameters": self.parameters,
            "mixerParameters": self.mixer_parameters,
            "referenceParameters": self.reference_parameters,
            "flopsPerToken": self.work.total / self.tokens,
            "referenceFlopsPerToken": self.reference_work.total / self.tokens,
            "operators": self.work.operators,
            "bytesPerToken": self.work.bytes / self.tokens,
            "layout": self.layout,
        }


def measure_sizes(
    mixer_class: type[nn.Module], reference_class: type[nn.Module], rung: dict[str, Any], seed: int
) -> list[TaskSize]:
    """One entry a task. Raises CandidateError when the candidate's model cannot be built or run."""
    return [_measure(mixer_class, reference_class, rung, task, seed) for task in rung["tasks"]]


def _measure(
    mixer_class: type[nn.Module],
    reference_class: type[nn.Module],
    rung: dict[str, Any],
    task: dict[str, Any],
    seed: int,
) -> TaskSize:
    reference_width = max(1, round(rung["mlpRatio"] * rung["hidden"]))
    reference = build_model(reference_class, rung, task, reference_width, seed)
    wanted = _count(reference)
    reference_work = _forward_work(reference, task, seed)
    try:
        narrow = _count(build_model(mixer_class, rung, task, 1, seed))
        model = build_model(mixer_class, rung, task, reference_width, seed)
    except CandidateError:
        raise
    except RAISED_BY_PROGRAMS as error:
        raise CandidateError(f"the {task['kind']} model cannot be built around the mixer: {describe(error)}") from error
    at_reference = _count(model)
    slope = (at_reference - narrow) / (reference_width - 1) if reference_width > 1 else _slope(rung, task)
    width = max(1, round(reference_width + (wanted - at_reference) / slope))
    parameters = round(at_reference + slope * (width - reference_width))
    matched = abs(parameters / wanted - 1.0) <= PARAMETER_TOLERANCE
    work, layout, largest_extra = None, None, None
    if matched:
        model = build_model(mixer_class, rung, task, width, seed) if width != reference_width else model
        parameters = _count(model)
        try:
            # Before the first pass: what a scorer's fresh model has, too.
            layout = layout_of(entries_of_state(model.state_dict()), ties_of_state(model.state_dict(keep_vars=True)))
            largest_extra = _largest_extra(model)
            work = _forward_work(model, task, seed)
        except RAISED_BY_PROGRAMS as error:
            raise CandidateError(f"forward of the {task['kind']} model raised {describe(error)}") from error
    return TaskSize(
        task=task["kind"],
        width=width if matched else None,
        parameters=parameters,
        mixer_parameters=sum(_count(block.mixer) for block in model.blocks),
        reference_parameters=wanted,
        work=work,
        reference_work=reference_work,
        tokens=task["length"],
        layout=layout,
        largest_extra=largest_extra,
    )


def parameters_outcome(sizes: list[TaskSize]) -> Outcome:
    worst = max(sizes, key=lambda size: abs(size.difference))
    told = "; ".join(
        f"{size.task}: {size.parameters:,} against {size.reference_parameters:,} ({size.difference:+.2%}), "
        f"mixers {size.mixer_parameters:,}, MLP width {size.width if size.width is not None else 'none fits'}"
        for size in sizes
    )
    measured, limit = abs(worst.difference), PARAMETER_TOLERANCE
    if any(size.width is None for size in sizes):
        return failed(
            f"no MLP width brings the model within {PARAMETER_TOLERANCE:.0%} of the reference; {told}", measured, limit
        )
    fullest = max(sizes, key=lambda size: size.state_difference)
    if fullest.layout is not None and fullest.state_difference > STATE_TOLERANCE:
        return failed(
            f"the model's state holds {own_numbers(fullest.layout):,} numbers for {fullest.task}, buffers counted, "
            f"against the reference's {fullest.reference_parameters:,} parameters; a tenth more is allowed. "
            f"Largest beside the parameters: {fullest.largest_extra}; {told}",
            fullest.state_difference,
            STATE_TOLERANCE,
        )
    return passed(told, measured, limit)


def _largest_extra(model: nn.Module) -> LargestExtra | None:
    """None where the state holds nothing but parameters."""
    state = model.state_dict(keep_vars=True)
    counted = {name for name, _ in model.named_parameters(remove_duplicate=False)} | ties_of_state(state).keys()
    extras = [
        LargestExtra(name, shape, numbers_of(kind, shape))
        for name, kind, shape in entries_of_state(state)
        if name not in counted
    ]
    return max(extras, key=lambda extra: extra.numbers, default=None)


def flops_outcome(sizes: list[TaskSize], limit: float) -> Outcome:
    worst = max(sizes, key=lambda size: size.flops_ratio)
    told = "; ".join(_told(size, size.work) for size in sizes if size.work)
    uncounted = all_uncounted(size.work for size in sizes if size.work)
    if uncounted:
        return failed(f"{uncounted_words(uncounted)}; its work cannot be told", worst.flops_ratio, limit)
    if worst.flops_ratio > limit:
        return failed(
            f"the forward pass works more than {limit:g} times the reference; {told}", worst.flops_ratio, limit
        )
    return passed(told, worst.flops_ratio, limit)


def _told(size: TaskSize, work: WorkCounter) -> str:
    own, reference = work.total / size.tokens, size.reference_work.total / size.tokens
    share = work.elementwise / work.total
    return (
        f"{size.task}: {own:,.0f} FLOPs a token ({share:.0%} element-wise) against {reference:,.0f}, "
        f"ratio {size.flops_ratio:.2f}"
    )


def _forward_work(model: nn.Module, task: dict[str, Any], seed: int) -> WorkCounter:
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randint(task_vocabulary(task), (1, task["length"]), generator=generator)
    model.eval()
    return count_work(lambda: model(tokens))


def _slope(rung: dict[str, Any], task: dict[str, Any]) -> float:
    """Parameters of one more unit of SwiGLU width: three matrices a layer."""
    return 3.0 * rung["hidden"] * task["layers"]


def _count(module: nn.Module) -> int:
    return sum(numbers_of(type_name(parameter.dtype), parameter.shape) for parameter in module.parameters())

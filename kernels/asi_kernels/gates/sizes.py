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
from ..snapshot_layout import entries_of_state, layout_of, numbers_of, type_name
from .outcome import CandidateError, Outcome, failed, passed
from .subject import describe
from .work_counter import WorkCounter, count_work

PARAMETER_TOLERANCE = 0.02


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

    @property
    def difference(self) -> float:
        return self.parameters / self.reference_parameters - 1.0

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
    work, layout = None, None
    if matched:
        model = build_model(mixer_class, rung, task, width, seed) if width != reference_width else model
        parameters = _count(model)
        try:
            # Before the first pass: what a scorer's fresh model has, too.
            layout = layout_of(entries_of_state(model.state_dict()))
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
    )


def parameters_outcome(sizes: list[TaskSize]) -> Outcome:
    worst = max(sizes, key=lambda size: abs(size.difference))
    told = "; ".join(
        f"{size.task}: {size.parameters:,} against {size.reference_parameters:,} ({size.difference:+.2%}), "
        f"mixers {size.mixer_parameters:,}, MLP width {size.width if size.width is not None else 'none fits'}"
        for size in sizes
    )
    measured, limit = abs(worst.difference), PARAMETER_TOLERANCE
    if all(size.width is not None for size in sizes):
        return passed(told, measured, limit)
    return failed(
        f"no MLP width brings the model within {PARAMETER_TOLERANCE:.0%} of the reference; {told}", measured, limit
    )


def flops_outcome(sizes: list[TaskSize], limit: float) -> Outcome:
    worst = max(sizes, key=lambda size: size.flops_ratio)
    told = "; ".join(_told(size, size.work) for size in sizes if size.work)
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

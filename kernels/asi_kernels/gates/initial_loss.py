"""Initial loss: an untrained language model around the mixer knows nothing, and no layer of it explodes.

The model is the trainer's own (models/language_model.py) with at least two layers; tokens are random, so that nothing
can be predicted and the loss is near ln V whatever the model does. What lies far below is a leak or a broken loss,
what lies far above an output that drowns the embedding.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from ..models.language_model import LanguageModel, MixerContractError, task_vocabulary
from ..programs import RAISED_BY_PROGRAMS
from .outcome import CandidateError, Outcome, failed, passed
from .subject import Subject, describe

_ROWS = 4
_LONGEST = 64
_LEAST_LAYERS = 2
# The head is tied and the last norm bounds every logit; honest losses were within 0.05 of ln V.
LOSS_LIMIT = 0.25
# rms of a mixer's output for inputs of rms one, and of the stream after it. A zero-initialised output is honest.
_LARGEST_OUTPUT = 30.0
_STREAM_LIMITS = (0.005, 50.0)  # the embedding alone has 0.02


def initial_loss(subject: Subject, rung: dict[str, Any]) -> Outcome:
    worst, told = 0.0, []
    for task in rung["tasks"]:
        layers = max(_LEAST_LAYERS, task["layers"])
        loss, sizes = _measure(subject, rung, task, layers)
        expected = math.log(task_vocabulary(task))
        problem = _problem(sizes)
        if problem:
            return failed(f"{task['kind']}: {problem}")
        worst = max(worst, abs(loss - expected), key=abs) if math.isfinite(loss) else math.inf
        largest = max(output for output, _ in sizes)
        told.append(
            f"{task['kind']}: loss {loss:.3f} against ln V = {expected:.3f}, {layers} layers, "
            f"mixer outputs up to {largest:.2g} rms"
        )
    verdict = passed if worst <= LOSS_LIMIT else failed
    return verdict("; ".join(told), worst, LOSS_LIMIT)


def _problem(sizes: list[tuple[float, float]]) -> str:
    low, high = _STREAM_LIMITS
    for layer, (output, stream) in enumerate(sizes):
        if not output <= _LARGEST_OUTPUT:
            return (
                f"the mixer of layer {layer} begins with outputs of {output:.3g} rms for inputs of rms 1; "
                f"at most {_LARGEST_OUTPUT:g}, so scale its initial output down"
            )
        if not low <= stream <= high:
            return f"the stream after layer {layer} has {stream:.3g} rms before training, not {low:g} to {high:g}"
    return ""


def _measure(
    subject: Subject, rung: dict[str, Any], task: dict[str, Any], layers: int
) -> tuple[float, list[tuple[float, float]]]:
    """Loss in nats a token, and by layer the rms of the mixer's output and of the stream behind it."""
    shape, vocabulary = subject.shape, task_vocabulary(task)
    outputs: list[float] = []
    streams: list[float] = []
    try:
        model = LanguageModel(
            subject.mixer_class,
            vocabulary=vocabulary,
            hidden=shape.hidden,
            heads=shape.heads,
            layers=layers,
            mlp_hidden=max(1, round(rung["mlpRatio"] * shape.hidden)),
            seed=subject.seed,
        ).eval()
        for block in model.blocks:
            block.mixer.register_forward_hook(lambda _, __, returned: outputs.append(_rms(returned[0])))
            block.register_forward_hook(lambda _, __, returned: streams.append(_rms(returned[0])))
        generator = torch.Generator().manual_seed(subject.seed)
        length = min(_LONGEST, task["length"])
        tokens = torch.randint(vocabulary, (_ROWS, length + 1), generator=generator)
        with torch.no_grad():
            logits = model(tokens[:, :-1])
    except MixerContractError as error:
        raise CandidateError(str(error)) from error
    except RAISED_BY_PROGRAMS as error:
        raise CandidateError(f"the {task['kind']} model around the mixer raised {describe(error)}") from error
    loss = nn.functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten()).item()
    return loss, list(zip(outputs, streams, strict=True))


def _rms(value: torch.Tensor) -> float:
    return value.pow(2).mean().sqrt().item()

"""The layer process of a task: of a trial's training, and of its answers to the judge, these alone hold candidate code.

It is forked from the trainer, or from the process that answers, gives up what `confine` says, and is then asked for
activations of its layers, in training for gradients too. The loss, the optimiser, the weights that count and every file
to write are the trainer's; tokens, logits and the pipes to the judge are the answering process's. Behind a wall that
can close files it reads its program and nothing else that anything could be learnt from; elsewhere it may read what its
job may read. Nothing that it makes of that comes back but activations and gradients. What it answers is data to the
other side. Runs the mixers as one model would, to the bit.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import torch
from torch import nn

from asi_kernels.models.language_model import MixerContractError, call_mixer, make_mixer
from asi_kernels.programs import DETAIL_LIMIT, ProgramError, describe_error, load_mixer_class

from .arena import Activations, Arena, BadDeclaration, declared_tensors, read_declaration
from .messages import Answer, Asked, Gone, Order, next_order, send_reply
from .work import Work

_ORDERS, _REPLIES = 3, 4

Confine = Callable[[Callable[[str, str], None], str], None]
"""Takes away what candidate code must not have. Gets what to call, and not return from, for a breach (label, detail),
and the path of the program, which is to be read afterwards.
"""


@dataclass(frozen=True)
class Served:
    """Which mixers: those of the task with this index, of the request's program; for what work, and where."""

    request: dict[str, Any]
    task_index: int
    work: Work
    arena: Arena


def serve_layers(served: Served, pipes: tuple[int, int], confine: Confine) -> NoReturn:
    """Never returns. `pipes`: its ends for orders and for replies. Ends when the other side closes its end, or after
    telling what the candidate's code raised.
    """
    status = 1
    orders, replies = _keep_only(*pipes)
    try:

        def breach(label: str, detail: str) -> NoReturn:
            traceback.print_stack(file=sys.stderr)
            sys.stderr.flush()
            _tell_failure(replies, label, detail)
            os._exit(1)

        confine(breach, served.request["programPath"])
        _Layers(served).serve(orders, replies)
    except Gone:
        status = 0
    except BaseException as error:  # the edge of the process: whatever comes out of candidate code is told
        _say_why(replies, error)
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    # No exit handlers: those of the parent would run here, and the candidate's have nothing to do.
    os._exit(status)


def _keep_only(orders: int, replies: int) -> tuple[int, int]:
    """Leaves standard streams and these two open, as 3 and 4: what else the parent had is not for the candidate."""
    above = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, _REPLIES + 1) for descriptor in (orders, replies)]
    for descriptor, wanted in zip(above, (_ORDERS, _REPLIES), strict=True):
        os.dup2(descriptor, wanted, inheritable=False)
    os.closerange(_REPLIES + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    # Whatever stands for them in the parent may have been closed just now.
    sys.stdout, sys.stderr = (open(number, "w", buffering=1, closefd=False) for number in (1, 2))  # noqa: SIM115
    return _ORDERS, _REPLIES


def _say_why(replies: int, error: BaseException) -> None:
    traceback.print_exception(error)
    match error:
        case ProgramError():
            _tell_failure(replies, error.label, error.detail)
        case MixerContractError() | BadDeclaration():
            _tell_failure(replies, "exit", str(error))
        case _:
            _tell_failure(replies, "exit", describe_error(error))


def _tell_failure(replies: int, label: str, detail: str) -> None:
    with contextlib.suppress(OSError):
        send_reply(replies, Answer.FAILED, {"label": label, "detail": detail[:DETAIL_LIMIT]})


class _Layers:
    """The mixers of one task, and what their backward passes need."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._arena = served.arena
        self._mixers: list[nn.Module] = []
        self._tensors: list[tuple[torch.Tensor, torch.Tensor]] = []
        self._trained: list[torch.Tensor] = []
        self._trained_places: list[torch.Tensor] = []
        self._kept: list[tuple[torch.Tensor, torch.Tensor]] = []
        self._ends: dict[int, torch.Tensor] = {}
        self._anchor = torch.zeros((), requires_grad=True)

    def serve(self, orders: int, replies: int) -> NoReturn:
        while True:
            asked = next_order(orders)
            content = None
            match asked.order:
                case Order.BUILD:
                    content = self._build()
                case Order.FORWARD:
                    self._forward(asked)
                case Order.BACKWARD:
                    self._backward(asked)
                case Order.LOAD:
                    _take(self._tensors)
                case Order.KEEP:
                    for tensor, place in self._kept:
                        place.copy_(tensor.detach())
                    self._arena.random_state.copy_(torch.get_rng_state())
                case Order.RESTORE:
                    _take(self._kept)
                    torch.set_rng_state(self._arena.random_state.clone())
            send_reply(replies, Answer.DONE if content is None else Answer.DECLARED, content)

    def _build(self) -> list[dict[str, Any]]:
        request, is_training = self._served.request, self._served.work.is_training
        rung, layers = request["rung"], request["rung"]["tasks"][self._served.task_index]["layers"]
        mixer_class = load_mixer_class(request["programPath"])
        self._mixers = [
            make_mixer(
                mixer_class,
                hidden=rung["hidden"],
                heads=rung["heads"],
                layer=layer,
                layers=layers,
                seed=request["seed"],
            ).train(is_training)
            for layer in range(layers)
        ]
        torch.manual_seed(request["seed"])
        tensors = declared_tensors(self._mixers)
        declared = [tensor.to_json() for tensor, _ in tensors]
        places = self._arena.tensors(read_declaration(declared, layers))
        once = [(entry, tensor, place) for (entry, tensor), place in zip(tensors, places, strict=True)]
        once = [each for each in once if each[0].same_as is None]
        self._trained = [tensor for entry, tensor, _ in once if entry.is_trained]
        self._trained_places = [place for entry, _, place in once if entry.is_trained]
        self._kept = [(tensor, place) for entry, tensor, place in once if not entry.is_trained]
        self._tensors = [(tensor, place) for _, tensor, place in once]
        with torch.no_grad():
            for tensor, place in self._tensors:
                place.copy_(tensor)
        return declared

    def _forward(self, asked: Asked) -> None:
        io = self._arena.activations(asked.number, asked.rows, asked.length)
        if self._served.work.is_training:
            self._forward_for_gradients(asked.number, io)
            return
        with torch.no_grad():
            # A copy, so that no view of it reaches what else lies in the arena.
            y, _ = call_mixer(self._mixers[asked.number], io.x.clone())
            io.y.copy_(y)

    def _forward_for_gradients(self, layer: int, io: Activations) -> None:
        if layer == 0:
            with torch.no_grad():
                torch._foreach_copy_(self._trained, self._trained_places)
        y, _ = call_mixer(self._mixers[layer], _Entry.apply(self._anchor, io))
        self._ends[layer] = _Exit.apply(y, io)

    def _backward(self, asked: Asked) -> None:
        layer = asked.number
        end = self._ends.pop(layer)
        # For a mixer that lets no gradient through.
        self._arena.activations(layer, asked.rows, asked.length).grad_x.zero_()
        if end.requires_grad:
            end.backward()
        if layer == 0:
            for parameter, place in zip(self._trained, self._trained_places, strict=True):
                if parameter.grad is None:
                    place.zero_()
                else:
                    place.copy_(parameter.grad)
                    parameter.grad = None


def _take(tensors: list[tuple[torch.Tensor, torch.Tensor]]) -> None:
    with torch.no_grad():
        for tensor, place in tensors:
            tensor.copy_(place)


class _Entry(torch.autograd.Function):
    """x of a layer as the output of something before it, which may be changed in place; its gradient goes out."""

    @staticmethod
    def forward(ctx: Any, anchor: torch.Tensor, io: Activations) -> torch.Tensor:
        del anchor  # has the engine come here at all
        ctx.io = io
        # A copy, so that no view of it reaches what else lies in the arena.
        return io.x.clone()

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[None, None]:
        ctx.io.grad_x.copy_(grad)
        return None, None


class _Exit(torch.autograd.Function):
    """y of a layer goes out; the scalar that is returned is what its backward pass begins at, with the gradient of y.

    A backward pass from y itself, with a gradient given, has torch import a computer algebra system first.
    """

    @staticmethod
    def forward(ctx: Any, y: torch.Tensor, io: Activations) -> torch.Tensor:
        ctx.io = io
        io.y.copy_(y)
        return y.new_zeros(())

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, None]:
        del grad
        return ctx.io.grad_y.clone(), None

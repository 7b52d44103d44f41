"""The end of the trainer, or of who answers the judge: mixers that are modules of its model and compute in the layer
process.

No candidate code runs at this end, and nothing that the layer process says is believed beyond its form: activations and
gradients are numbers, the weights are this end's own. In training, buffers and frozen parameters of the model keep
their initial values; a mixer that lives by changing them is trained without that (the gate `buffers` refuses it).

Each task has a layer process of its own, and all are forked before the first task begins, or the first question is
read: what a program keeps outside its mixers ends with its task, a memory that the next process finds holds no trained
weight and no token, and an engine of gradients that has threads is never forked.
"""

from __future__ import annotations

import contextlib
import math
import os
import select
import signal
import sys
import time
from typing import Any

import torch
from torch import nn

from asi_kernels.host.process_tree import descendants, usage_of
from asi_kernels.programs import DETAIL_LIMIT
from asi_kernels.train.trial_failed import TrialFailed

from .arena import Activations, Arena, BadDeclaration, Declared, read_declaration
from .messages import Answer, Asked, Gone, Order, UnreadableReply, read_reply, send_order
from .server import Confine, Served, serve_layers
from .work import Work

_TELLABLE = frozenset({"exit", "compile_error", "import_error", "rejected_static", "forbidden_write", "forbidden_call"})
"""Labels that the layer process may give itself; it cannot choose any that is tried again."""


# Importing a program and making its mixers: the most of 40 honest ones took 0.011 at quick and at standard.
_BUILD_SECONDS = 0.4
_BUILD_SECONDS_A_NUMBER = 3e-8
_TICK_SECONDS = 0.01
_PATIENCE_TICKS = 200


class LayerLink:
    """Forks the layer process of one task when made. To be closed; everything else raises TrialFailed when the
    candidate fails.

    `where` is put before what candidate code raised: at which point of the trial it was.
    """

    def __init__(self, request: dict[str, Any], task_index: int, work: Work, confine: Confine) -> None:
        self.where = ""
        self._rung = request["rung"]
        self._task = self._rung["tasks"][task_index]
        self._work = work
        self._arena = Arena(self._rung["hidden"], work)
        self._io: dict[int, Activations] = {}
        self._declared: list[Declared] = []
        self._parameters: list[nn.Parameter] = []
        self._cpu_seconds = 0.0  # once it is dead
        order_reader, self._orders = os.pipe()
        self._replies, reply_writer = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._orders)
            os.close(self._replies)
            serve_layers(Served(request, task_index, work, self._arena), (order_reader, reply_writer), confine)
        self._arena.keep_from_children()
        os.close(order_reader)
        os.close(reply_writer)
        self._is_open = True
        self._death = _death_descriptor(self._pid)
        self._poll = select.poll()
        for descriptor in (self._replies, self._death):
            if descriptor is not None:
                self._poll.register(descriptor, select.POLLIN)

    def build(self) -> None:
        """Has the mixers of the task made; `mixer` then gives their modules, layer by layer.

        Raises TrialFailed `integrity` where that took more CPU than initial values do: they may have been trained.
        """
        before = self._whole_cpu_seconds()
        content = self._ask(Asked(Order.BUILD))
        used = self._whole_cpu_seconds() - before
        try:
            self._declared = read_declaration(content, self._task["layers"])
            self._places = self._arena.tensors(self._declared)
        except BadDeclaration as error:
            raise TrialFailed("exit", f"{self.where}: {error}") from error
        most = _BUILD_SECONDS + _BUILD_SECONDS_A_NUMBER * sum(math.prod(tensor.shape) for tensor in self._declared)
        if used > most:
            raise TrialFailed(
                "integrity",
                f"{self.where}: its mixers took {used:.2f} CPU seconds to be made, more than the {most:.2f} that "
                "initial values can take; what a mixer begins with must be drawn or computed, not learnt",
            )
        self._own = [
            nn.Parameter(place.clone(), requires_grad=entry.is_trained) if entry.is_parameter else place.clone()
            for entry, place in zip(self._declared, self._places, strict=True)
        ]
        for index, entry in enumerate(self._declared):
            if entry.same_as is not None:
                self._own[index] = self._own[entry.same_as]
        trained = [index for index in self._once() if self._declared[index].is_trained]
        self._trained = [self._own[index] for index in trained]
        self._trained_places = [self._places[index] for index in trained]

    def mixer(self, hidden_size: int, num_heads: int, layer_index: int, num_layers: int) -> nn.Module:
        """Stands where the class of a mixer stands: the module of one layer."""
        del hidden_size, num_heads, num_layers
        return SeparateMixer(self, layer_index)

    def tensors(self, layer: int) -> list[tuple[Declared, torch.Tensor]]:
        return [pair for pair in zip(self._declared, self._own, strict=True) if pair[0].layer == layer]

    def load(self) -> None:
        """Has the mixers take on every tensor as it is here: where they answer, after a snapshot was read."""
        with torch.no_grad():
            for index in self._once():
                self._places[index].copy_(self._own[index])
        self._ask(Asked(Order.LOAD))

    def forward(self, layer: int, x: torch.Tensor) -> torch.Tensor:
        """y [B, T, D] for x [B, T, D], both float32; y lies in the arena and is good until the layer, or where not each
        has activations of its own the next one, is asked again.
        """
        if layer == 0 and self._work.is_training:
            with torch.no_grad():
                torch._foreach_copy_(self._trained_places, [parameter.detach() for parameter in self._trained])
        rows, length, _ = x.shape
        io = self._io[layer] = self._arena.activations(layer, rows, length)
        io.x.copy_(x)
        self._ask(Asked(Order.FORWARD, layer, rows, length))
        return io.y.data

    def backward(self, layer: int, grad_y: torch.Tensor) -> torch.Tensor:
        """The gradient of x [B, T, D] for that of y; after layer 0 each trained parameter has its own."""
        rows, length, _ = grad_y.shape
        io = self._io[layer]
        io.grad_y.copy_(grad_y)
        self._ask(Asked(Order.BACKWARD, layer, rows, length))
        if layer == 0:
            for parameter, place in zip(self._trained, self._trained_places, strict=True):
                # No copy: the optimiser joins the gradients to one vector of its own at once.
                parameter.grad = place
        return io.grad_x.data

    def keep(self) -> dict[str, torch.Tensor]:
        """What the layer process needs to go on from here, for `restore`. Its own business: nothing else reads it."""
        self._ask(Asked(Order.KEEP))
        kept = {str(index): self._places[index].clone() for index in self._kept()}
        return {**kept, "random": self._arena.random_state.clone()}

    def restore(self, kept: dict[str, torch.Tensor]) -> None:
        """Raises KeyError or RuntimeError for what `keep` did not make of the same mixers."""
        for index in self._kept():
            self._places[index].copy_(kept[str(index)])
        self._arena.random_state.copy_(kept["random"])
        self._ask(Asked(Order.RESTORE))

    def cpu_seconds(self) -> float:
        """CPU time of the layer process so far, as the kernel counts it."""
        if self._is_open:
            # CPUCLOCK_SCHED of a process by its id, as clock_getcpuclockid(3) makes it; only Linux knows it.
            with contextlib.suppress(OSError):
                return time.clock_gettime(~self._pid << 3 | 2)
        return self._cpu_seconds

    def _whole_cpu_seconds(self) -> float:
        """With what it has started, where /proc can be read."""
        own = max(self.cpu_seconds(), usage_of(self._pid).cpu_seconds)
        with contextlib.suppress(OSError):  # at S0L the folder is closed to us
            own += sum(usage_of(pid).cpu_seconds for pid in descendants(self._pid))
        return own

    def close(self) -> None:
        """Ends the layer process. What it holds is lost."""
        if not self._is_open:
            return
        self._is_open = False
        self._close_pipes()
        os.kill(self._pid, signal.SIGKILL)
        self._reap(0)

    def _reap(self, options: int) -> int | None:
        """Its wait status; None while it lives. Its CPU time is known from then on."""
        found, status, usage = os.wait4(self._pid, options)
        if not found:
            return None
        self._cpu_seconds = usage.ru_utime + usage.ru_stime
        return status

    def _reap_patiently(self) -> int | None:
        """The wait status of a process that has closed its pipes; None for one that lives on without them, now
        killed.
        """
        for _ in range(_PATIENCE_TICKS):
            status = self._reap(os.WNOHANG)
            if status is not None:
                return status
            time.sleep(_TICK_SECONDS)
        os.kill(self._pid, signal.SIGKILL)
        self._reap(0)
        return None

    def _close_pipes(self) -> None:
        for descriptor in (self._orders, self._replies, self._death):
            if descriptor is not None:
                os.close(descriptor)

    def _once(self) -> list[int]:
        """Places in the list of the declared tensors, of each tensor its first."""
        return [index for index, entry in enumerate(self._declared) if entry.same_as is None]

    def _kept(self) -> list[int]:
        return [index for index in self._once() if not self._declared[index].is_trained]

    def _ask(self, asked: Asked) -> Any:
        try:
            send_order(self._orders, asked)
            self._await_reply()
            reply = read_reply(self._replies)
        except Gone:
            raise self._ended() from None
        except UnreadableReply as error:
            raise TrialFailed("bad_result", f"{self.where}: the process of its layers: {error}") from error
        if reply.answer is Answer.FAILED:
            raise self._told(reply.content)
        if (reply.answer is Answer.DECLARED) != (asked.order is Order.BUILD):
            raise TrialFailed("bad_result", f"{self.where}: the process of its layers answered what was not asked")
        return reply.content

    def _await_reply(self) -> None:
        """Raises Gone when the layer process is dead; somebody else may still hold its end of the pipe."""
        ready = [descriptor for descriptor, _ in self._poll.poll()]
        if self._replies not in ready:
            raise Gone

    def _told(self, content: Any) -> TrialFailed:
        match content:
            case {"label": str(label), "detail": str(detail)} if label in _TELLABLE:
                placed = f"{self.where}: {detail}" if label == "exit" else detail
                return TrialFailed(label, placed[:DETAIL_LIMIT])
        return TrialFailed("bad_result", f"{self.where}: the process of its layers failed without a usable reason")

    def _ended(self) -> TrialFailed:
        """The layer process is dead, or has closed its pipe and is ended for it."""
        self._is_open = False
        self._close_pipes()
        status = self._reap_patiently()
        if status is None:
            return TrialFailed("exit", f"{self.where}: its process closed its pipes and lived on")
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            if number == signal.SIGKILL:
                # Whoever sent it meant the job, or the machine has run out of memory: the host is to see the same.
                os.kill(os.getpid(), signal.SIGKILL)
            return TrialFailed("signal", f"{self.where}: it was ended by signal {number} ({_signal_name(number)})")
        code = os.WEXITSTATUS(status)
        label = "exit" if code else "no_result"
        return TrialFailed(label, f"{self.where}: its process ended with status {code} in the middle of its work")


class SeparateMixer(nn.Module):
    """A mixer whose weights are here and whose code is in the layer process. x, y: float32 [B, T, D]."""

    def __init__(self, link: LayerLink, layer: int) -> None:
        super().__init__()
        self._link = [link]  # in a list: it is no part of the module
        self._layer = layer
        for entry, tensor in link.tensors(layer):
            *path, name = entry.name.split(".")
            holder: nn.Module = self
            for part in path:
                # By no method of the module: a name may be any, that of a method among them.
                holder = holder._modules.setdefault(part, nn.Module())  # type: ignore[assignment]
            if isinstance(tensor, nn.Parameter):
                holder._parameters[name] = tensor
            else:
                holder._buffers[name] = tensor

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, None]:
        return _Separate.apply(x, self._link[0], self._layer), None


class _Separate(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, link: LayerLink, layer: int) -> torch.Tensor:
        ctx.link, ctx.layer = link, layer
        return link.forward(layer, x)

    @staticmethod
    def backward(ctx: Any, grad_y: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        return ctx.link.backward(ctx.layer, grad_y), None, None


def _death_descriptor(pid: int) -> int | None:
    """Readable once the process is dead; None where the kernel has no such thing."""
    return os.pidfd_open(pid) if hasattr(os, "pidfd_open") else None


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"

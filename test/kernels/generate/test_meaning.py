"""Emitted programs against an interpreter of the genome: the meaning of every gene, written down a second time.

The interpreter reads the parameters of the program's own module and follows the genome literally, with the token loop
for the recurrence, full masked softmax for a window and one convolution a branch. It shares no code with the emitter.
"""

from __future__ import annotations

import math
import random
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from asi_kernels.generate.baselines import baseline_genome, baseline_names
from asi_kernels.ops.f1 import F1Inputs, naive

HIDDEN, HEADS, LENGTH = 16, 2, 40


class Interpreter:
    """Computes what a mixer of `genome` means, from its parameters. Legend: B, T, H heads, K, V, n writes a token."""

    def __init__(self, genome: dict[str, Any], mixer: nn.Module, attention: bool) -> None:
        self.genome, self.mixer, self.attention = genome, mixer, attention
        layout = genome["heads"]
        self.H = max(1, int(HEADS * layout["multiple"]))
        head = HIDDEN // self.H
        self.K, self.V = int(head * layout["expandKey"]), int(head * layout["expandValue"])
        self.n = 1 if attention else genome["write"]["steps"]
        self.rank = head

    def __call__(self, x: Tensor) -> Tensor:
        parts = self._inputs(x)
        v = parts["v"].unflatten(-1, (self.n, self.H, self.V))
        value = v[:, :, -1]
        o = self._window(parts, value) if self.attention else self._recurrence(parts, v)
        return self._outputs(parts, value, o)

    def _inputs(self, x: Tensor) -> dict[str, Tensor]:
        widths = self._widths()
        convolved = [name for name in widths if name in "qkv" and self.genome["shortConv"][name]]
        order = [*convolved, *(name for name in widths if name not in convolved)]
        projected = x @ self.mixer.project.weight.T
        parts = dict(zip(order, projected.split([widths[name] for name in order], -1), strict=True))
        if convolved:
            kernels = self.mixer.conv.split([widths[name] for name in convolved])
            for name, kernel in zip(convolved, kernels, strict=True):
                parts[name] = F.silu(_filter(parts[name], kernel))
        return parts

    def _widths(self) -> dict[str, int]:
        genome, H, K, V, n = self.genome, self.H, self.K, self.V, self.n
        decay, write, gate = genome["decay"]["kind"], genome["write"], genome["output"]["gate"]
        widths = {"q": H * K}
        if genome["keyTie"] == "free" or self.attention:
            widths["k"] = n * H * K
        widths["v"] = n * H * V
        if not self.attention:
            if decay.endswith("-data"):
                widths["decay"] = H * K if decay == "vector-data" else H
            if write["kind"] == "decoupled-erase":
                widths |= {"erase": H * K, "strength": H * V}
            elif write["beta"] != "one":
                widths["beta"] = n * H
        if gate != "none":
            widths["gate"] = self.rank if gate == "low-rank" else H * V
        if genome["valueMix"] == "sigmoid-mix":
            widths["mix"] = H
        if genome["router"] in ("softmax", "sigmoid", "two-stage"):
            widths["route"] = H * (len(genome["fir"]) + 1)
        return widths

    def _log_decay(self, parts: dict[str, Tensor], tokens: int) -> Tensor | None:
        """[B or 1, T, H] or [B or 1, T, H, K]."""
        kind, param, m = self.genome["decay"]["kind"], self.genome["decay"]["param"], self.mixer
        if kind == "none":
            return None
        if kind == "scalar-const":
            gamma = torch.tensor([1.0 - 2.0 ** (-5 - h) for h in range(self.H)], dtype=torch.float64)
            return gamma.log().expand(1, tokens, self.H)
        if kind == "vector-const":
            return (-m.log_rate.exp()).clamp(min=-5.0).expand(1, tokens, self.H, self.K)
        shape = (self.H, self.K) if kind == "vector-data" else (self.H, 1)
        u = parts["decay"].unflatten(-1, shape)
        if param == "logsigmoid":
            g = F.logsigmoid(u) / 16.0
        else:
            u = u + m.decay_bias.view(shape)
            if param == "softplus":
                g = -m.log_rate.exp()[:, None] * F.softplus(u)
            elif param == "bounded-sigmoid":
                g = -5.0 * torch.sigmoid(m.log_rate.exp()[:, None] * u)
            else:
                g = -u.exp()
        g = g.clamp(min=-5.0)
        return g if kind == "vector-data" else g.squeeze(-1)

    def _shape(self, t: Tensor, convolved: bool) -> Tensor:
        """Feature map and norm over the last dimension."""
        kind, norm = self.genome["featureMap"], self.genome["qkNorm"]
        if not (kind == "silu" and convolved):  # the short convolution's SiLU is the feature map's
            maps = {
                "identity": lambda u: u,
                "silu": F.silu,
                "relu": torch.relu,
                "elu-plus-one": lambda u: F.elu(u) + 1.0,
                "softmax": lambda u: u.softmax(-1),
                "square": torch.square,
            }
            t = maps[kind](t)
        if norm == "l2":
            return t / (t.square().sum(-1, keepdim=True) + 1e-6).sqrt()
        if norm == "rms":
            return t / (t.square().mean(-1, keepdim=True) + 1e-6).sqrt()
        if norm == "sum":
            return t / (t.sum(-1, keepdim=True) + 1e-6)
        return t

    def _rotated(self, t: Tensor) -> Tensor:
        """[B, T, ..., K] turned by its position."""
        if self.genome["position"] == "none":
            return t
        half = t.shape[-1] // 2
        rates = torch.tensor([10000.0 ** (-i / half) for i in range(half)], dtype=torch.float64)
        angles = torch.arange(t.shape[1], dtype=torch.float64)[:, None] * rates
        turned = torch.complex(t[..., :half], t[..., half:]) * torch.polar(torch.ones_like(angles), angles).view(
            -1, *[1] * (t.ndim - 3), half
        )
        return torch.cat((turned.real, turned.imag), -1)

    def _recurrence(self, parts: dict[str, Tensor], v: Tensor) -> Tensor:
        genome, H, n = self.genome, self.H, self.n
        conv = genome["shortConv"]
        B, T = v.shape[:2]
        g = self._log_decay(parts, T)
        q = self._rotated(self._shape(parts["q"].unflatten(-1, (H, self.K)), conv["q"]))
        if genome["keyTie"] == "free":
            k = self._rotated(self._shape(parts["k"].unflatten(-1, (n, H, self.K)), conv["k"]))
        else:
            k = self._rotated(1.0 - g.exp()).unsqueeze(2)
        if genome["readout"] == "query-correction":
            q = q - self.mixer.correction[:, None] * k[:, :, -1]
        if genome["scale"] == "inverse-sqrt":
            q = q / math.sqrt(self.K)
        bonus = 0.0
        if genome["readout"] == "bonus":
            bonus = (q * self.mixer.bonus * k[:, :, -1]).sum(-1, keepdim=True) * v[:, :, -1]
        e, x = self._writes(parts, k, v)
        q = torch.cat((torch.zeros(B, T, n - 1, H, self.K, dtype=q.dtype), q.unsqueeze(2)), 2)
        if g is not None:
            g = g.expand(B, *g.shape[1:]).unsqueeze(2)
            g = torch.cat((g, torch.zeros_like(g).repeat_interleave(n - 1, 2)), 2).flatten(1, 2)
        flat = [None if t is None else t.flatten(1, 2) for t in (q, k, x, e)]
        o, _ = naive.recurrence(F1Inputs(*flat, log_alpha=g, erase_time=genome["write"]["eraseTime"]))
        return o[:, n - 1 :: n] + bonus

    def _writes(self, parts: dict[str, Tensor], k: Tensor, v: Tensor) -> tuple[Tensor | None, Tensor]:
        write = self.genome["write"]
        if write["kind"] == "decoupled-erase":
            b, w = (torch.sigmoid(parts[name]).unflatten(-1, (1, self.H, -1)) for name in ("erase", "strength"))
            return b * k, w * v
        beta = 1.0
        if write["beta"] != "one":
            beta = torch.sigmoid(parts["beta"]).unflatten(-1, (self.n, self.H, 1))
            beta = 2.0 * beta if write["beta"] == "double-sigmoid" else beta
        return (None if write["kind"] == "additive" else beta * k), beta * v

    def _window(self, parts: dict[str, Tensor], value: Tensor) -> Tensor:
        q, k = (parts[name].unflatten(-1, (self.H, self.K)) for name in "qk")
        q, k = (self._rotated(t / (t.square().mean(-1, keepdim=True) + 1e-6).sqrt()) for t in (q, k))
        scores = torch.einsum("bihk,bjhk->bhij", q, k) / math.sqrt(self.K)
        ago = torch.arange(q.shape[1])[:, None] - torch.arange(q.shape[1])
        visible = (ago >= 0) & (ago < self.genome["layers"]["window"])
        weights = scores.masked_fill(~visible, -math.inf).softmax(-1)
        return torch.einsum("bhij,bjhv->bihv", weights, value)

    def _outputs(self, parts: dict[str, Tensor], value: Tensor, o: Tensor) -> Tensor:
        genome, m, H, V = self.genome, self.mixer, self.H, self.V
        if genome["valueMix"] == "sigmoid-mix":
            mix = torch.sigmoid(parts["mix"] + m.mix_bias).unsqueeze(-1)
            o = mix * o + (1.0 - mix) * value
        if genome["valueMix"] == "skip":
            o = o + m.skip[:, None] * value
        if genome["fir"]:
            o = self._routed(parts, value, o)
        if genome["output"]["norm"] == "rms":
            o = o / (o.square().mean(-1, keepdim=True) + 1e-5).sqrt() * m.norm_weight
        if genome["output"]["norm"] == "group":
            o = (o - o.mean(-1, keepdim=True)) / (o.var(-1, keepdim=True, unbiased=False) + 1e-5).sqrt()
            o = o * m.norm_weight.view(H, V) + m.norm_bias.view(H, V)
        o = o.flatten(2)
        if genome["output"]["norm"] == "layer":
            o = (o - o.mean(-1, keepdim=True)) / (o.var(-1, keepdim=True, unbiased=False) + 1e-5).sqrt()
            o = o * m.norm_weight + m.norm_bias
        gate = genome["output"]["gate"]
        if gate == "low-rank":
            o = o * torch.sigmoid(parts["gate"] @ m.gate_up.weight.T + m.gate_up.bias)
        elif gate != "none":
            o = o * {"silu": F.silu, "sigmoid": torch.sigmoid}[gate](parts["gate"])
        return o @ m.out.weight.T

    def _routed(self, parts: dict[str, Tensor], value: Tensor, o: Tensor) -> Tensor:
        m, router = self.mixer, self.genome["router"]
        paths = [
            _filter(value.flatten(2), getattr(m, f"fir_{kernel}")).unflatten(-1, (self.H, self.V))
            for kernel in self.genome["fir"]
        ]
        if router == "static":
            weights = m.route
        else:
            logits = parts["route"].unflatten(-1, (self.H, -1)) + m.route_bias
            if router == "two-stage":
                share = torch.sigmoid(logits[..., :1])
                weights = torch.cat((share, (1.0 - share) * logits[..., 1:].softmax(-1)), -1)
            else:
                weights = logits.softmax(-1) if router == "softmax" else torch.sigmoid(logits)
        return sum(weights[..., index, None] * branch for index, branch in enumerate([o, *paths]))


def _filter(x: Tensor, weight: Tensor) -> Tensor:
    """Causal depthwise filter, its last tap on the present: x [B, T, D], weight [D, L]."""
    y = torch.zeros_like(x)
    for back in range(min(weight.shape[1], x.shape[1])):
        y[:, back:] += x[:, : x.shape[1] - back] * weight[:, weight.shape[1] - 1 - back]
    return y


def assert_means(names: dict[str, Any], genome: dict[str, Any], seed: int) -> None:
    for layer in (0,) if genome["layers"]["pattern"] == "uniform" else (0, 1):
        torch.manual_seed(seed)
        mixer = names["Mixer"](HIDDEN, HEADS, layer, 2).double()
        with torch.no_grad():
            for parameter in mixer.parameters():
                parameter.add_(0.2 * torch.randn_like(parameter))
            x = 2.0 * torch.randn(2, LENGTH, HIDDEN, dtype=torch.float64)
            core = mixer if genome["layers"]["pattern"] == "uniform" else mixer.layer
            expected = Interpreter(genome, core, layer == 1)(x)
            error = (mixer(x)[0] - expected).norm() / expected.norm()
        assert error < 1e-10, (genome, layer)


def test_baselines_compute_what_their_genomes_mean(load_program) -> None:
    for seed, name in enumerate(baseline_names()):
        genome = baseline_genome(name)
        assert_means(load_program(genome), genome, seed)


def test_random_programs_compute_what_their_genomes_mean(load_program, draw_genome) -> None:
    rng = random.Random(2026)
    for seed in range(200):
        genome = draw_genome(rng)
        assert_means(load_program(genome), genome, seed)

"""A small language model around any mixer: the same for every candidate, so that only the mixer differs.

Shapes: B sequences, T tokens, D hidden, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from .fused import rms_norm, swiglu

BYTE_VOCABULARY = 256
_EMBEDDING_STD = 0.02
_NORM_EPSILON = 1e-6


MixerClass = Callable[..., nn.Module]
"""What makes the mixer of a layer from hidden_size, num_heads, layer_index and num_layers: the class of a program."""


class MixerContractError(Exception):
    """The mixer returned what its contract does not allow. The message says what came back and what would be right."""


class RmsNorm(nn.Module):
    """x / rms(x) * weight over the last axis (Zhang & Sennrich, arXiv 1910.07467)."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(hidden))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return rms_norm(x, self.weight, _NORM_EPSILON)


class SwiGlu(nn.Module):
    """down(silu(gate x) * up x) (Shazeer, arXiv 2002.05202); gate and up are one matrix product."""

    def __init__(self, hidden: int, mlp_hidden: int) -> None:
        super().__init__()
        self.gate_up = nn.Linear(hidden, 2 * mlp_hidden, bias=False)
        self.down = nn.Linear(mlp_hidden, hidden, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.down(swiglu(self.gate_up(x)))


class Block(nn.Module):
    """x + mixer(norm(x)), then x + mlp(norm(x))."""

    def __init__(self, mixer: nn.Module, hidden: int, mlp_hidden: int) -> None:
        super().__init__()
        self.mixer_norm = RmsNorm(hidden)
        self.mixer = mixer
        self.mlp_norm = RmsNorm(hidden)
        self.mlp = SwiGlu(hidden, mlp_hidden)

    def forward(self, x: torch.Tensor, state: Any = None) -> tuple[torch.Tensor, Any]:
        y, next_state = call_mixer(self.mixer, self.mixer_norm(x), state)
        x = x + y
        return x + self.mlp(self.mlp_norm(x)), next_state


class LanguageModel(nn.Module):
    """Token embedding, `layers` blocks, final norm, and a head tied to the embedding.

    `seed` fixes every initial value. Embedding, MLPs and each mixer draw from streams of their own, so that two
    candidates start from the same embedding whatever their mixers draw. A mixer keeps the initial values that it gave
    itself: a trainer that draws them anew trains another architecture than the one that was written.
    Raises MixerContractError from forward when the mixer's output does not fit; what its own code raises passes.
    """

    def __init__(
        self,
        mixer_class: MixerClass,
        *,
        vocabulary: int,
        hidden: int,
        heads: int,
        layers: int,
        mlp_hidden: int,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        with torch.random.fork_rng(devices=[]):
            _seed_torch(seed, 0)
            self.embedding = nn.Embedding(vocabulary, hidden)
            nn.init.normal_(self.embedding.weight, std=_EMBEDDING_STD)
            blocks = []
            for layer in range(layers):
                mixer = make_mixer(mixer_class, hidden=hidden, heads=heads, layer=layer, layers=layers, seed=seed)
                _seed_torch(seed, 2 * layer + 2)
                blocks.append(Block(mixer, hidden, mlp_hidden))
            self.blocks = nn.ModuleList(blocks)
            self.norm = RmsNorm(hidden)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Logits [B, T, V] of the next token after each of tokens [B, T]."""
        return self.stream(tokens, None)[0]

    def stream(self, tokens: torch.Tensor, state: tuple[Any, ...] | None) -> tuple[torch.Tensor, tuple[Any, ...]]:
        """Logits [B, T, V] for a piece of a sequence, and the state to go on with; `state` None begins afresh."""
        x = self.embedding(tokens)
        states = []
        for layer, block in enumerate(self.blocks):
            x, next_state = block(x, None if state is None else state[layer])
            states.append(next_state)
        return F.linear(self.norm(x), self.embedding.weight), tuple(states)


def task_vocabulary(task: dict[str, Any]) -> int:
    """Number of token values of a task of a rung."""
    return BYTE_VOCABULARY if task["kind"] == "bytes" else int(task["vocabulary"])


def build_model(
    mixer_class: MixerClass, rung: dict[str, Any], task: dict[str, Any], mlp_hidden: int, seed: int
) -> LanguageModel:
    """The model of one task of a rung, float32 on the CPU."""
    return LanguageModel(
        mixer_class,
        vocabulary=task_vocabulary(task),
        hidden=rung["hidden"],
        heads=rung["heads"],
        layers=task["layers"],
        mlp_hidden=mlp_hidden,
        seed=seed,
    )


def make_mixer(mixer_class: MixerClass, *, hidden: int, heads: int, layer: int, layers: int, seed: int) -> nn.Module:
    """The mixer of one layer, its initial values drawn from a stream of its own; torch's own stream stays as it is."""
    with torch.random.fork_rng(devices=[]):
        _seed_torch(seed, 2 * layer + 1)
        return mixer_class(hidden_size=hidden, num_heads=heads, layer_index=layer, num_layers=layers)


def call_mixer(mixer: nn.Module, x: torch.Tensor, state: Any = None) -> tuple[torch.Tensor, Any]:
    """(y, next state) of a mixer for x, both [B, T, D]. Raises MixerContractError for what does not fit."""
    # A mixer that was written without a state may still be trained: it is only asked for one when there is one.
    returned = mixer(x) if state is None else mixer(x, state)
    return _checked_output(returned, x)


def _seed_torch(seed: int, stream: int) -> None:
    """Neighbouring seeds of torch's own generator give related streams; numpy's seed sequence parts them."""
    torch.manual_seed(int(np.random.SeedSequence([seed, stream]).generate_state(1, np.uint64)[0] >> np.uint64(1)))


def _checked_output(returned: Any, x: torch.Tensor) -> tuple[torch.Tensor, Any]:
    if not isinstance(returned, tuple) or len(returned) != 2:
        raise MixerContractError(f"forward returned {type(returned).__name__}; it must return the tuple (y, state)")
    y, state = returned
    if not isinstance(y, torch.Tensor):
        raise MixerContractError(f"forward returned y as {type(y).__name__}; it must be a tensor [B, T, hidden]")
    if y.shape != x.shape or y.dtype != x.dtype:
        raise MixerContractError(
            f"forward of x {list(x.shape)} {x.dtype} returned y {list(y.shape)} {y.dtype}; both must be alike"
        )
    return y, state

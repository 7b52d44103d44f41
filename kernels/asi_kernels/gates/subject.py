"""The program under check, as the gates see it: builds its mixers, draws their inputs, calls them, and knows how
exact they can be.

Shapes: x and y are [B, T, D] with D the hidden size. Unless said otherwise probes are float64 on the CPU with
randomised parameters, because an untrained mixer may hide a path behind a zero (science: a zero-initialised gate
makes every output independent of everything).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import nn

from ..programs import PROGRAM_FILE_PREFIX, RAISED_BY_PROGRAMS
from .outcome import CandidateError
from .work_counter import WorkCounter, count_work

INPUT_KINDS = ("gaussian", "tokens", "spiky", "drifting")
# How far two honest evaluations of one formula may lie apart in rms of the output, by the coarsest type inside.
_NOISE = {None: 1e-9, torch.float32: 1e-4, torch.bfloat16: 5e-2, torch.float16: 5e-3}
_LARGEST_SCALE = 1e3  # honest outputs for inputs of rms one are smaller, with moved parameters too
_WIDEST_PROBE = 128
_LEAST_LAYERS = 2  # what a later layer does must show on a rung with one layer too

# Trainings are in float32; most gates compute in float64, where two ways to one result can be told apart.
KEEP_TYPE = (
    "y must keep the type of x, whichever it is (most gates compute in float64): where .float() was used inside, go "
    "back by .to(x.dtype) before the last projection and return y.to(x.dtype)"
)


@dataclass(frozen=True)
class ProbeShape:
    """Width, heads and depth of the mixers that the probes build, the sequence lengths of the rung's tasks, and of each
    task rows and length of a training batch.
    """

    hidden: int
    heads: int
    num_layers: int
    lengths: tuple[int, ...]
    batches: tuple[tuple[int, int], ...] = ()


def probe_shape(rung: dict[str, Any]) -> ProbeShape:
    """The rung's own shape with two layers at least; above width 128 fewer heads of the same size, because legality
    does not depend on width.
    """
    hidden, heads = rung["hidden"], rung["heads"]
    if hidden > _WIDEST_PROBE and hidden % heads == 0:
        head_size = hidden // heads
        heads = max(1, min(heads, _WIDEST_PROBE // head_size))
        hidden = heads * head_size
    tasks = rung["tasks"]
    num_layers = max(_LEAST_LAYERS, *(task["layers"] for task in tasks))
    lengths = tuple(sorted({task["length"] for task in tasks}))
    return ProbeShape(hidden, heads, num_layers, lengths, tuple((task["batch"], task["length"]) for task in tasks))


@dataclass(frozen=True)
class Cost:
    """CPU seconds of one more position (whatever the rows) and of one more token of a float64 forward pass."""

    seconds_a_position: float
    seconds_a_token: float


@dataclass
class Subject:
    """One mixer class under check. `thresholds` are integers of its text, candidates for a branch on the length."""

    mixer_class: type[nn.Module]
    shape: ProbeShape
    seed: int
    thresholds: tuple[int, ...] = ()
    _stochastic: dict[bool, bool] = field(default_factory=dict)

    @property
    def layer_indices(self) -> tuple[int, ...]:
        """First, second and last layer: patterns that alternate or spare an end show among them."""
        last = self.shape.num_layers - 1
        return tuple(sorted({0, min(1, last), last}))

    def build(
        self,
        *,
        layer_index: int = 0,
        dtype: torch.dtype = torch.float64,
        seed: int | None = None,
        noise: float | None = None,
        training: bool = False,
    ) -> nn.Module:
        """A fresh mixer, randomised by `noise` (default: as much as stays finite; 0 leaves its own initialisation)."""
        seed = self.seed if seed is None else seed
        torch.manual_seed(seed)
        try:
            mixer = self.mixer_class(
                hidden_size=self.shape.hidden,
                num_heads=self.shape.heads,
                layer_index=layer_index,
                num_layers=self.shape.num_layers,
            )
        except RAISED_BY_PROGRAMS as error:
            raise CandidateError(f"Mixer({self._arguments(layer_index)}) raised {describe(error)}") from error
        lazy = [name for name, value in mixer.named_parameters() if isinstance(value, nn.UninitializedParameter)]
        if lazy:
            raise CandidateError(f"parameter {lazy[0]} is without shape and values; give every size in __init__")
        mixer = cast(mixer, dtype)
        randomise(mixer, seed=seed, noise=self.noise if noise is None else noise)
        return mixer.train(training)

    @cached_property
    def finite_on_probes(self) -> bool:
        """Whether there is anything to compare: with the chosen noise, ordinary float64 inputs give finite outputs."""
        return bool(torch.isfinite(evaluate(self.build(), self.inputs(4, 80), seed=self.seed)).all())

    @cached_property
    def zero_is_finite(self) -> bool:
        """Whether positions of zeros can be part of a comparison; the extremes gate judges those that cannot."""
        x = self.inputs(4, 24)
        x[:, 8:12] = 0.0
        return bool(torch.isfinite(evaluate(self.build(), x, seed=self.seed)).all())

    @cached_property
    def noise(self) -> float:
        """Largest of three noise scales under which the mixer stays finite in float64."""
        for noise in (1.0, 0.3, 0.0):
            mixer = self.build(noise=noise)
            if torch.isfinite(evaluate(mixer, self.inputs(4, 80), seed=self.seed)).all():
                return noise
        return 0.0

    def inputs(self, rows: int, length: int, *, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
        """[rows, length, D], rms near one, kinds by row: a trigger on content has to meet one of them."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + seed)
        drawn = [
            _draw(INPUT_KINDS[(row + seed) % len(INPUT_KINDS)], length, self.shape.hidden, generator)
            for row in range(rows)
        ]
        return torch.stack(drawn).to(dtype)

    @cached_property
    def work(self) -> WorkCounter:
        """Operators of one float64 forward pass, for what they say about precision and transforms."""
        mixer = self.build()
        x = self.inputs(2, 40)
        return count_work(lambda: call(mixer, x, seed=self.seed))

    @property
    def noise_limit(self) -> float:
        """Relative difference that rounding explains between two shapes of one computation."""
        return _NOISE[self.work.coarsest]

    @property
    def precision_note(self) -> str:
        return "" if self.work.coarsest is None else f" (computes in {str(self.work.coarsest).removeprefix('torch.')})"

    def stochastic(self, training: bool) -> bool:
        """Whether a mode draws random numbers (dropout): then only runs with equal shapes and seeds compare."""
        if training not in self._stochastic:
            mixer = self.build(training=training)
            x = self.inputs(2, 24)
            self._stochastic[training] = not torch.equal(evaluate(mixer, x, seed=1), evaluate(mixer, x, seed=2))
        return self._stochastic[training]

    @cached_property
    def cost(self) -> Cost:
        """Measured on three passes; a loop over tokens pays by the position, element-wise work by the token."""
        mixer = self.build()
        _timed(mixer, self.inputs(2, 16))  # the first pass also fills caches
        short, long, wide = (_timed(mixer, self.inputs(rows, length)) for rows, length in ((2, 16), (2, 64), (16, 64)))
        seconds_a_token = max(0.0, wide - long) / (14 * 64)
        return Cost(max(0.0, (long - short) / 48 - 2 * seconds_a_token), seconds_a_token)

    def _arguments(self, layer_index: int) -> str:
        shape = self.shape
        width = f"hidden_size={shape.hidden}, num_heads={shape.heads}"
        return f"{width}, layer_index={layer_index}, num_layers={shape.num_layers}"


def cast(mixer: nn.Module, dtype: torch.dtype) -> nn.Module:
    """`mixer` with its floating numbers in `dtype`. Complex ones stay complex, as a trainer leaves them: double where
    `dtype` is, else complex64.
    """
    wide = torch.complex128 if dtype == torch.float64 else torch.complex64

    def converted(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.is_complex():
            return tensor.to(wide)
        return tensor.to(dtype) if tensor.is_floating_point() else tensor

    return mixer._apply(converted)


def call(mixer: nn.Module, x: torch.Tensor, *, seed: int) -> torch.Tensor:
    """y of `mixer(x)` from a fixed random state. Raises CandidateError when it raises or breaks the return contract."""
    return call_with_state(mixer, x, None, seed=seed)[0]


def call_with_state(mixer: nn.Module, x: torch.Tensor, state: object, *, seed: int) -> tuple[torch.Tensor, object]:
    torch.manual_seed(seed)
    try:
        returned = mixer(x) if state is None else mixer(x, state)
    except RAISED_BY_PROGRAMS as error:
        said = f"forward of {shape_of(x)} {x.dtype} raised {describe(error)}"
        # "expected mat1 and mat2 to have the same dtype", of a layer that is given what .float() made.
        mixed = x.dtype != torch.float32 and isinstance(error, RuntimeError) and "dtype" in str(error)
        raise CandidateError(f"{said}; {KEEP_TYPE}" if mixed else said) from error
    if not isinstance(returned, tuple) or len(returned) != 2:
        raise CandidateError(f"forward returned {type(returned).__name__}; it must return the tuple (y, state)")
    y, next_state = returned
    if not isinstance(y, torch.Tensor):
        raise CandidateError(f"forward returned y as {type(y).__name__}; it must be a tensor [B, T, hidden]")
    if y.shape != x.shape:
        raise CandidateError(f"forward of {shape_of(x)} returned y {shape_of(y)}; both must be [B, T, hidden]")
    return y, next_state


def evaluate(mixer: nn.Module, x: torch.Tensor, *, seed: int) -> torch.Tensor:
    """`call` without a graph."""
    with torch.no_grad():
        return call(mixer, x, seed=seed)


@contextmanager
def mode(mixer: nn.Module, training: bool) -> Iterator[nn.Module]:
    """`mixer` in train or eval mode for a while."""
    before = mixer.training
    try:
        yield mixer.train(training)
    finally:
        mixer.train(before)


def randomise(mixer: nn.Module, *, seed: int, noise: float) -> None:
    """Adds noise of 0.3/sqrt(fan in) to matrices and 0.3 to vectors, times `noise`, in place."""
    if noise == 0.0:
        return
    generator = torch.Generator().manual_seed(seed + 77)
    with torch.no_grad():
        for parameter in mixer.parameters():
            fan_in = parameter[0].numel() if parameter.dim() > 1 else 1
            scale = 0.3 * noise / math.sqrt(max(1, fan_in))
            parameter += scale * torch.randn(parameter.shape, generator=generator, dtype=torch.float64).to(
                parameter.dtype
            )


def relative_difference(candidate: torch.Tensor, reference: torch.Tensor) -> float:
    """Largest difference over the reference's rms, [..., D]; infinite when either is not finite. Where the rms is above
    1,000 each position counts by its own, if that is more than 1,000: one that answers with 1e14 must not make
    rounding of all others.
    """
    if candidate.numel() == 0:
        return 0.0
    difference = (candidate - reference).abs()
    largest = difference.max().item()
    if largest == 0.0:
        return 0.0
    scale = scale_of(reference)
    if scale == _LARGEST_SCALE and reference.dim() > 0:
        own = reference.pow(2).mean(-1, keepdim=True).sqrt()
        ratio = (difference / own.clamp_min(scale)).max().item()
    else:
        ratio = largest / scale if scale > 0 else math.inf
    return ratio if math.isfinite(ratio) else math.inf


def scale_of(reference: torch.Tensor) -> float:
    """Its rms, but at most 1,000."""
    rms = reference.pow(2).mean().sqrt().item()
    return min(rms, _LARGEST_SCALE)


def describe(error: BaseException) -> str:
    """One line of an exception of candidate code, with the line of its own file where it was raised."""
    where, step = "", error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename.startswith(PROGRAM_FILE_PREFIX):
            where = f" at line {step.tb_lineno}"
        step = step.tb_next
    text = " ".join(str(error).split())
    return f"{type(error).__name__}{where}: {text[:400]}"


def shape_of(tensor: torch.Tensor) -> str:
    return str(list(tensor.shape))


def _draw(kind: str, length: int, hidden: int, generator: torch.Generator) -> torch.Tensor:
    """[length, hidden]. tokens: few distinct vectors, often repeated; spiky: heavy tails; drifting: slow, nearly
    constant.
    """
    normal = torch.randn(length, hidden, generator=generator, dtype=torch.float64)
    if kind == "tokens":
        table = torch.randn(6, hidden, generator=generator, dtype=torch.float64)
        chosen = torch.randint(6, (length,), generator=generator)
        for position in range(2, length):  # half of them repeat one of the last two
            back = int(torch.randint(4, (), generator=generator))
            if back in (1, 2):
                chosen[position] = chosen[position - back]
        return table[chosen]
    if kind == "spiky":
        size = torch.rand(length, 1, generator=generator, dtype=torch.float64).clamp_min(0.02)
        return normal / size.sqrt() * 0.7
    if kind == "drifting":
        return normal[:1] + 0.1 * normal.cumsum(0) / math.sqrt(length)
    return normal


def _timed(mixer: nn.Module, x: torch.Tensor) -> float:
    started = time.process_time()
    evaluate(mixer, x, seed=0)
    return time.process_time() - started

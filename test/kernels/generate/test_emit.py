"""Emitted programs: the mixer contract, causality to the bit, streaming, gradients, precision, and that every gene
shows.
"""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from asi_kernels.generate.baselines import baseline_genome, baseline_names
from asi_kernels.generate.emit import emit_program

NUM_BATCHES, GENOMES_A_BATCH = 12, 20
HIDDEN, HEADS, LENGTH = 16, 2, 75
CUTS = (1, 2, 10, 33, 50, LENGTH)
BORDERS = (1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 74)

Load = Callable[[dict[str, Any]], dict[str, Any]]
Draw = Callable[[random.Random], dict[str, Any]]


def layers_of(genome: dict[str, Any]) -> tuple[int, ...]:
    return (0,) if genome["layers"]["pattern"] == "uniform" else (0, 1)


def build(load_program: Load, genome: dict[str, Any], layer: int, seed: int = 0) -> nn.Module:
    """A mixer in float64 whose parameters all left the special values of their initialisation."""
    torch.manual_seed(seed)
    mixer = load_program(genome)["Mixer"](HIDDEN, HEADS, layer, 2).double()
    with torch.no_grad():
        for parameter in mixer.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return mixer


def sequence(seed: int, length: int = LENGTH, batch: int = 2) -> Tensor:
    return torch.randn(batch, length, HIDDEN, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def assert_causal(mixer: nn.Module, x: Tensor, y: Tensor) -> None:
    for border in BORDERS:
        changed = torch.cat((x[:, :border], 3.0 * sequence(border)[:, border:]), 1)
        assert torch.equal(mixer(changed)[0][:, :border], y[:, :border]), f"a token before {border} saw one after it"


def assert_streams(mixer: nn.Module, x: Tensor, y: Tensor) -> None:
    state, parts, start = None, [], 0
    for stop in CUTS:
        part, state = mixer(x[:, start:stop], state)
        parts.append(part)
        start = stop
    error = (torch.cat(parts, 1) - y).abs().max() / y.abs().max()
    assert error < 1e-10, "a sequence in parts differs from the whole"


def assert_honest(mixer: nn.Module) -> None:
    """The whole contract of a mixer on one input."""
    x = sequence(0)
    y, state = mixer(x)
    assert y.shape == x.shape
    assert torch.isfinite(y).all()
    assert isinstance(state, tuple) and all(isinstance(part, Tensor) for part in state)
    (y * sequence(1)).sum().backward()
    dead = [name for name, p in mixer.named_parameters() if p.grad is None or not p.grad.abs().max() > 0]
    assert not dead, f"no gradient reaches {dead}"
    with torch.no_grad():
        assert_causal(mixer, x, y)
        assert_streams(mixer, x, y)
        alone, _ = mixer(x[:1])
        assert torch.allclose(alone, y[:1], rtol=1e-10, atol=1e-12), "a sequence depends on its batch mates"
        shorter, _ = mixer(x[:, :40])
        assert torch.allclose(shorter, y[:, :40], rtol=1e-10, atol=1e-12), "an output depends on the length"


@pytest.mark.parametrize("name", baseline_names())
def test_a_baseline_keeps_the_whole_contract(name: str, load_program: Load) -> None:
    assert_honest(build(load_program, baseline_genome(name), 0))


@pytest.mark.parametrize("batch", range(NUM_BATCHES))
def test_random_legal_genomes_keep_the_whole_contract(batch: int, load_program: Load, draw_genome: Draw) -> None:
    rng = random.Random(batch)
    for seed in range(GENOMES_A_BATCH):
        genome = draw_genome(rng)
        for layer in layers_of(genome):
            assert_honest(build(load_program, genome, layer, seed))


def test_the_random_genomes_take_every_value_of_every_gene(draw_genome: Draw) -> None:
    taken: dict[str, set[Any]] = {}
    for batch in range(NUM_BATCHES):
        rng = random.Random(batch)
        for _ in range(GENOMES_A_BATCH):
            for gene, value in _flat(draw_genome(rng)):
                taken.setdefault(gene, set()).add(value)
    for gene, values in GENE_VALUES.items():
        assert taken[gene] >= set(values), f"{gene} lacks {set(values) - taken[gene]}"


GENE_VALUES: dict[str, tuple[Any, ...]] = {
    "decay.kind": ("none", "scalar-const", "vector-const", "scalar-data", "vector-data"),
    "decay.param": ("logsigmoid", "softplus", "bounded-sigmoid", "double-exp"),
    "write.kind": ("additive", "delta", "decoupled-erase", "householder"),
    "write.beta": ("one", "sigmoid", "double-sigmoid"),
    "write.steps": (1, 2, 3),
    "write.eraseTime": ("after-decay", "before-decay"),
    "keyTie": ("free", "one-minus-decay"),
    "featureMap": ("identity", "silu", "relu", "elu-plus-one", "softmax", "square"),
    "qkNorm": ("none", "l2", "rms", "sum"),
    "scale": ("inverse-sqrt", "one"),
    "position": ("none", "rope"),
    "shortConv.q": (True, False),
    "shortConv.k": (True, False),
    "shortConv.v": (True, False),
    "shortConv.kernel": tuple(range(2, 9)),
    "readout": ("plain", "bonus", "query-correction"),
    "output.norm": ("none", "rms", "group", "layer"),
    "output.gate": ("none", "silu", "sigmoid", "low-rank"),
    "valueMix": ("none", "sigmoid-mix", "skip"),
    "fir": (3, 5, 7, 15, 31, 63),
    "router": ("none", "static", "softmax", "sigmoid", "two-stage"),
    "heads.multiple": (0.5, 1, 2),
    "heads.expandKey": (0.5, 1),
    "heads.expandValue": (1, 2),
    "layers.pattern": ("uniform", "alternate-window"),
    "layers.window": (16, 32, 64),
}


def _flat(genome: dict[str, Any]) -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for gene, value in genome.items():
        if isinstance(value, dict):
            pairs += [(f"{gene}.{inner}", inner_value) for inner, inner_value in value.items()]
        elif isinstance(value, list):
            pairs += [(gene, item) for item in value]
        else:
            pairs.append((gene, value))
    return pairs


# One legal genome that shows the gene, and the same with another value of it: their programs must differ in text and
# output.
SWITCHES: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
    ("gated-deltanet", {}, {"write": {"kind": "delta", "beta": "one", "steps": 1, "eraseTime": "after-decay"}}),
    (
        "gated-deltanet",
        {},
        {"write": {"kind": "delta", "beta": "double-sigmoid", "steps": 1, "eraseTime": "after-decay"}},
    ),
    ("gated-deltanet", {}, {"write": {"kind": "delta", "beta": "sigmoid", "steps": 1, "eraseTime": "before-decay"}}),
    ("gated-deltanet", {}, {"decay": {"kind": "scalar-data", "param": "double-exp"}}),
    ("gated-deltanet", {}, {"decay": {"kind": "scalar-data", "param": "bounded-sigmoid"}}),
    ("gated-deltanet", {}, {"scale": "one", "output": {"norm": "none", "gate": "silu"}}),
    ("gated-deltanet", {}, {"position": "rope"}),
    ("gated-deltanet", {}, {"featureMap": "relu"}),
    ("gated-deltanet", {}, {"readout": "query-correction"}),
    ("gated-deltanet", {}, {"readout": "bonus"}),
    ("deltanet-fir-gate", {}, {"router": "softmax"}),
    ("deltanet-fir-gate", {}, {"router": "two-stage"}),
    ("gla", {}, {"keyTie": "one-minus-decay"}),
)


@pytest.mark.parametrize(("base", "one", "other"), SWITCHES, ids=lambda value: str(value)[:40])
def test_turning_a_gene_changes_what_the_program_computes(
    base: str, one: dict, other: dict, load_program: Load
) -> None:
    outputs = []
    for change in (one, other):
        genome = baseline_genome(base) | change
        torch.manual_seed(0)
        mixer = load_program(genome)["Mixer"](HIDDEN, HEADS).double()
        with torch.no_grad():
            for parameter in mixer.parameters():
                parameter.copy_(torch.linspace(-0.4, 0.5, parameter.numel()).view_as(parameter))
            outputs.append(mixer(sequence(0))[0])
    assert (outputs[0] - outputs[1]).abs().max() > 1e-6


@pytest.mark.parametrize("name", baseline_names())
def test_a_single_token_streams_like_the_sequence(name: str, load_program: Load) -> None:
    mixer = build(load_program, baseline_genome(name), 0)
    x = sequence(0, 20)
    with torch.no_grad():
        whole, _ = mixer(x)
        state, parts = None, []
        for t in range(20):
            part, state = mixer(x[:, t : t + 1], state)
            parts.append(part)
    assert torch.allclose(torch.cat(parts, 1), whole, rtol=1e-9, atol=1e-11)


def test_float32_stays_close_to_float64_and_bfloat16_stays_finite(load_program: Load, draw_genome: Draw) -> None:
    rng = random.Random(99)
    genomes = [baseline_genome(name) for name in baseline_names()] + [draw_genome(rng) for _ in range(40)]
    for genome in genomes:
        mixer = build(load_program, genome, 0)
        x = sequence(0)
        reference, _ = mixer(x)
        single, _ = mixer.float()(x.float())
        assert (single.double() - reference).norm() / reference.norm() < 2e-4, genome
        half, state = mixer.bfloat16()(x.bfloat16())
        assert half.dtype == torch.bfloat16 and torch.isfinite(half).all(), genome
        assert state[0].dtype == torch.float32, "the memory must not fall below float32"


def test_autocast_trains_every_kind_of_program(load_program: Load, draw_genome: Draw) -> None:
    rng = random.Random(7)
    for _ in range(40):
        genome = draw_genome(rng)
        for layer in layers_of(genome):
            mixer = build(load_program, genome, layer).float()
            with torch.autocast("cpu", torch.bfloat16):
                y, _ = mixer(sequence(0).float())
            y.float().square().sum().backward()
            assert all(torch.isfinite(p.grad).all() for p in mixer.parameters()), genome


def test_large_and_constant_inputs_stay_finite(load_program: Load, draw_genome: Draw) -> None:
    rng = random.Random(11)
    genomes = [baseline_genome(name) for name in baseline_names()] + [draw_genome(rng) for _ in range(40)]
    for genome in genomes:
        mixer = build(load_program, genome, 0).float()
        for x in (sequence(0).float() * 100.0, torch.ones(1, LENGTH, HIDDEN), torch.zeros(1, LENGTH, HIDDEN)):
            y, _ = mixer(x)
            gradients = torch.autograd.grad(y.square().mean(), list(mixer.parameters()), allow_unused=True)
            assert torch.isfinite(y).all(), genome
            assert all(g is None or torch.isfinite(g).all() for g in gradients), genome


def test_the_state_passes_gradients_back_to_earlier_parts(load_program: Load) -> None:
    for name in ("linear-attention", "ssd", "gla", "deltanet", "gated-deltanet", "kda"):
        mixer = build(load_program, baseline_genome(name), 0)
        x = sequence(0).requires_grad_()
        (whole,) = torch.autograd.grad(mixer(x)[0][:, 50:].square().sum(), x)
        _, state = mixer(x[:, :50])
        (parts,) = torch.autograd.grad(mixer(x[:, 50:], state)[0].square().sum(), x)
        assert torch.allclose(parts, whole, rtol=1e-9, atol=1e-12), name


def test_heads_that_do_not_divide_the_width_are_refused(load_program: Load) -> None:
    with pytest.raises(ValueError, match="hidden_size is 16: it must be a multiple of the 3 heads"):
        load_program(baseline_genome("kda"))["Mixer"](16, 3)


def test_rotary_positions_with_an_odd_key_width_are_refused(load_program: Load) -> None:
    with pytest.raises(ValueError, match="key_dim is 5: rotary positions need an even one"):
        load_program(baseline_genome("retnet"))["Mixer"](10, 2)


def test_emission_repeats_to_the_byte_and_its_head_names_the_program() -> None:
    first = emit_program(baseline_genome("kda"), "kda", "Per-channel decay\nforgets selectively.")
    assert first == emit_program(baseline_genome("kda"), "kda", "Per-channel decay\nforgets selectively.")
    head = first.split("import math")[0].splitlines()
    assert head[0] == "# kda"
    assert "# Per-channel decay" in head and "# forgets selectively." in head
    assert all(line.startswith("#") for line in head if line)
    assert sum(line.startswith('# genome: {"decay"') for line in head) == 1


def test_a_name_or_motivation_cannot_put_code_into_the_program(load_program: Load) -> None:
    text = emit_program(
        baseline_genome("ssd"), 'x\nimport os\n"""', "y\rimport os\n\x0cimport os\x85import os\u2028import os"
    )
    assert "import os" not in [line.strip() for line in text.splitlines() if not line.startswith("#")]
    names: dict[str, Any] = {}
    exec(compile(text, "<program>", "exec"), names)
    assert "os" not in names


def test_an_illegal_genome_is_refused_with_every_violation() -> None:
    genome = baseline_genome("deltanet") | {"qkNorm": "none", "router": "softmax"}
    with pytest.raises(ValueError, match=r"qkNorm is none.*router is softmax"):
        emit_program(genome, "x", "y")


def test_emission_needs_no_torch() -> None:
    code = (
        "import sys\n"
        "from asi_kernels.generate.baselines import baseline_genome\n"
        "from asi_kernels.generate.emit import emit_program\n"
        "emit_program(baseline_genome('kda'), 'kda', 'why')\n"
        "assert 'torch' not in sys.modules and 'numpy' not in sys.modules\n"
    )
    folder = next(path for path in sys.path if path.endswith("kernels") and "test" not in path)
    subprocess.run([sys.executable, "-c", code], check=True, cwd=folder)

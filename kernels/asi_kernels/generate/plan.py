"""What a genome means for the text of its program: which parts exist, how wide they are, and what they are called."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

Genome = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """One slice of the fused input projection."""

    name: str
    """Local name of the slice in `forward`."""
    width: str
    """Its width as an expression over `heads`, `key_dim`, `value_dim` and `head_dim`."""
    convolved: bool = False
    """Whether the short convolution (and its SiLU) runs over it."""


@dataclass(frozen=True)
class Plan:
    """One layer class of a program. `parts` holds the slices of its input projection, the convolved ones first."""

    genome: Genome
    attention: bool
    """Whether the layer is sliding-window attention in place of the recurrence."""
    decay: str
    """none | scalar | vector: the shape of the log-decay."""
    decay_from_data: bool
    erase: bool
    steps: int
    tied_key: bool
    parts: tuple[Part, ...]

    @property
    def erase_before_decay(self) -> bool:
        return self.genome["write"]["eraseTime"] == "before-decay"

    @property
    def total_of_writes(self) -> str:
        """Local name of the cumulative decay of each write's token."""
        return "total" if self.steps == 1 else "later"

    @property
    def total_of_erase(self) -> str:
        """Local name of the cumulative decay that an erase reads the state through."""
        return "earlier" if self.erase_before_decay else self.total_of_writes

    @property
    def start_of_erase(self) -> str:
        """Local name of the exponential of that."""
        return "start" if self.total_of_erase == "total" else "start_erase"

    @property
    def decay_of_erase(self) -> str:
        """Local name of the scalar decay between an erase and the writes before it."""
        return "decay" if self.total_of_erase == "total" else "past"

    @property
    def convolution(self) -> bool:
        return any(part.convolved for part in self.parts)

    @property
    def fir(self) -> list[int]:
        return self.genome["fir"]

    @property
    def longest_fir(self) -> int:
        return max(self.fir, default=0)

    @property
    def rope(self) -> bool:
        return self.genome["position"] == "rope"

    @property
    def counts_position(self) -> bool:
        """Whether the state counts tokens: for rotary angles, and to know which slots of a window are filled."""
        return self.rope or self.attention

    @property
    def state_names(self) -> list[str]:
        """Names of the state's tensors in their order."""
        names = ["window_keys", "window_values"] if self.attention else ["memory"]
        names += ["conv_tail"] if self.convolution else []
        names += ["fir_tail"] if self.fir else []
        return names + (["position"] if self.counts_position else [])


def plan_layer(genome: Genome) -> Plan:
    """The recurrent layer of a legal genome."""
    kind = genome["decay"]["kind"]
    return Plan(
        genome=genome,
        attention=False,
        decay=kind.split("-")[0],
        decay_from_data=kind.endswith("-data"),
        erase=genome["write"]["kind"] != "additive",
        steps=genome["write"]["steps"],
        tied_key=genome["keyTie"] == "one-minus-decay",
        parts=_parts(genome),
    )


def plan_window_layer(genome: Genome) -> Plan:
    """The sliding-window layer that stands in for every second recurrence: its paths are the genome's, its core is
    softmax attention.
    """
    window = copy.deepcopy(genome)
    window["decay"] = {"kind": "none", "param": "softplus"}
    window["write"] = {"kind": "additive", "beta": "one", "steps": 1, "eraseTime": "after-decay"}
    window["keyTie"], window["featureMap"], window["qkNorm"] = "free", "identity", "rms"
    window["scale"], window["readout"] = "inverse-sqrt", "plain"
    return Plan(
        genome=window,
        attention=True,
        decay="none",
        decay_from_data=False,
        erase=False,
        steps=1,
        tied_key=False,
        parts=_parts(window),
    )


def _parts(genome: Genome) -> tuple[Part, ...]:
    conv, write, decay = genome["shortConv"], genome["write"], genome["decay"]["kind"]
    times = "" if write["steps"] == 1 else f"{write['steps']} * "
    parts = [Part("q", "heads * key_dim", conv["q"])]
    if genome["keyTie"] == "free":
        parts.append(Part("k", f"{times}heads * key_dim", conv["k"]))
    parts.append(Part("v", f"{times}heads * value_dim", conv["v"]))
    if decay.endswith("-data"):
        parts.append(Part("decay", "heads" if decay == "scalar-data" else "heads * key_dim"))
    if write["kind"] == "decoupled-erase":
        parts += [Part("erase", "heads * key_dim"), Part("strength", "heads * value_dim")]
    elif write["beta"] != "one":
        parts.append(Part("beta", f"{times}heads"))
    if genome["output"]["gate"] != "none":
        parts.append(Part("gate", "head_dim" if genome["output"]["gate"] == "low-rank" else "heads * value_dim"))
    if genome["valueMix"] == "sigmoid-mix":
        parts.append(Part("mix", "heads"))
    if genome["router"] in ("softmax", "sigmoid", "two-stage"):
        parts.append(Part("route", f"heads * {len(genome['fir']) + 1}"))
    return (*(part for part in parts if part.convolved), *(part for part in parts if not part.convolved))

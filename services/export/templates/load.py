"""Builds the models of this bundle. Needs PyTorch and nothing else.

    python load.py              whether each model's logits for a fixed input are those of the campaign, one JSON object a line
    from load import load       model = load("bytes"); logits = model(tokens)

`agreement` compares them with what model.json holds: "same bits" on a like machine with the same PyTorch; "close" where another CPU or
PyTorch rounds differently; "different", with exit status 1, where this is not the model that was measured; "unknown" where the campaign
wrote nothing down. Float32, one CPU thread.

Loading runs mixer.py, which a program or a person wrote: read it before you run it where it could do harm.

Shapes: B sequences, T tokens, D hidden, V vocabulary.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import math
import sys
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

HERE = Path(__file__).resolve().parent
DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
NORM_EPSILON = 1e-6
# Of logits of some units: rounding stays a hundred times below it, other weights lie far above.
CLOSE = 1e-3


class BundleError(Exception):
    """A file of the bundle is missing, altered or does not fit the others. The message names it."""


class RmsNorm(nn.Module):
    """x / rms(x) * weight over the last axis (arXiv 1910.07467)."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(hidden))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        # In the order of the package's own code, so that the bits are the same too.
        mean_square = torch.linalg.vector_norm(x, dim=-1, keepdim=True).square() / x.shape[-1]
        return x * (mean_square + NORM_EPSILON).rsqrt() * self.weight


class SwiGlu(nn.Module):
    """down(silu(gate x) * up x) (arXiv 2002.05202)."""

    def __init__(self, hidden: int, mlp_hidden: int) -> None:
        super().__init__()
        self.gate_up = nn.Linear(hidden, 2 * mlp_hidden, bias=False)
        self.down = nn.Linear(mlp_hidden, hidden, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gate, up = self.gate_up(x).chunk(2, dim=-1)
        return self.down(F.silu(gate) * up)


class Block(nn.Module):
    """x + mixer(norm(x)), then x + mlp(norm(x))."""

    def __init__(self, mixer: nn.Module, hidden: int, mlp_hidden: int) -> None:
        super().__init__()
        self.mixer_norm = RmsNorm(hidden)
        self.mixer = mixer
        self.mlp_norm = RmsNorm(hidden)
        self.mlp = SwiGlu(hidden, mlp_hidden)

    def forward(self, x: torch.Tensor, state: Any = None) -> tuple[torch.Tensor, Any]:
        inner = self.mixer_norm(x)
        y, state = self.mixer(inner) if state is None else self.mixer(inner, state)
        x = x + y
        return x + self.mlp(self.mlp_norm(x)), state


class LanguageModel(nn.Module):
    """Token embedding, blocks, final norm, head tied to the embedding."""

    def __init__(
        self, mixer_class: type[nn.Module], *, vocabulary: int, hidden: int, heads: int, layers: int, mlp_hidden: int
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, hidden)
        self.blocks = nn.ModuleList(
            Block(
                mixer_class(hidden_size=hidden, num_heads=heads, layer_index=layer, num_layers=layers),
                hidden,
                mlp_hidden,
            )
            for layer in range(layers)
        )
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


def tasks() -> list[str]:
    """Names of the models in this bundle."""
    return list(_model_facts()["tasks"])


def load(task: str) -> LanguageModel:
    """The trained model of a task, float32 on the CPU, in evaluation mode. Raises BundleError."""
    _check_hashes(["mixer.py", "model.json", "weights.safetensors"])
    known = _model_facts()["tasks"]
    if task not in known:
        raise BundleError(f"model.json has no task {task!r}; it has {', '.join(known)}")
    facts = known[task]
    model = LanguageModel(
        _mixer_class(),
        vocabulary=facts["vocabulary"],
        hidden=facts["hidden"],
        heads=facts["heads"],
        layers=facts["layers"],
        mlp_hidden=facts["mlpHidden"],
    )
    weights = {
        name.split("/", 1)[1]: tensor
        for name, tensor in read_safetensors(HERE / "weights.safetensors").items()
        if name.split("/", 1)[0] == task
    }
    _fill(model, weights)
    return model.eval()


def read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    """Tensors by name: eight bytes of header length, a JSON header, then the numbers. Raises BundleError."""
    data = bytearray(path.read_bytes())
    header_bytes = int.from_bytes(data[:8], "little")
    if len(data) < 8 or header_bytes > len(data) - 8:
        raise BundleError(f"{path.name} is cut short")
    header = json.loads(data[8 : 8 + header_bytes])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        dtype = DTYPES[entry["dtype"]]
        begin, end = entry["data_offsets"]
        count = math.prod(entry["shape"])
        if count * dtype.itemsize != end - begin or 8 + header_bytes + end > len(data):
            raise BundleError(f"{path.name} is damaged at {name}")
        values = torch.empty(0, dtype=dtype)
        if count > 0:
            values = torch.frombuffer(data, dtype=dtype, count=count, offset=8 + header_bytes + begin)
        # A copy lies where torch wants it and outlives the file's bytes.
        tensors[name] = values.reshape(entry["shape"]).clone()
    return tensors


def fixed_tokens(vocabulary: int) -> torch.Tensor:
    """Tokens [2, 48], the same for everybody."""
    rows = [[(31 * row + 7 * column + column * column // 3) % vocabulary for column in range(48)] for row in range(2)]
    return torch.tensor(rows)


def digest(logits: torch.Tensor) -> str:
    """SHA-256 of the bits of float32 logits, little-endian."""
    return hashlib.sha256(bytes(logits.contiguous().view(torch.uint8).flatten().tolist())).hexdigest()


def agreement(logits: torch.Tensor, expected: dict[str, Any] | None) -> str:
    """How logits [2, 48, V] compare with what model.json says of them."""
    if expected is None:
        return "unknown: the campaign wrote no logits down"
    if digest(logits) == expected["sha256"]:
        return "same bits"
    values = logits.flatten()
    sample = torch.tensor(expected["sample"])
    found = values[:: max(1, len(values) // len(sample))][: len(sample)]
    apart = max(
        (found - sample).abs().max().item() if found.shape == sample.shape else math.inf,
        abs(values.mean().item() - expected["mean"]),
        abs(values.abs().max().item() - expected["largest"]),
    )
    is_close = apart <= CLOSE * max(1.0, expected["largest"])
    return f"{'close' if is_close else 'different'} (largest difference {apart:.2g})"


def _fill(model: nn.Module, weights: dict[str, torch.Tensor]) -> None:
    result = model.load_state_dict(weights, strict=False)
    # Buffers that are made at construction need not be stored; every parameter must be.
    missing = [name for name in result.missing_keys if name in dict(model.named_parameters())]
    if missing or result.unexpected_keys:
        raise BundleError(
            f"weights.safetensors does not fit mixer.py: missing {missing}, unexpected {result.unexpected_keys}"
        )


def _model_facts() -> dict[str, Any]:
    return json.loads((HERE / "model.json").read_text(encoding="utf-8"))


def _check_hashes(names: list[str]) -> None:
    files = json.loads((HERE / "manifest.json").read_text(encoding="utf-8"))["files"]
    for name in names:
        found = hashlib.sha256((HERE / name).read_bytes()).hexdigest()
        if found != files[name]["sha256"]:
            raise BundleError(f"{name} was altered: its SHA-256 is {found}; manifest.json says {files[name]['sha256']}")


def _mixer_class() -> type[nn.Module]:
    # No __pycache__ in the bundle: it would be a file that the manifest does not name.
    sys.dont_write_bytecode = True
    spec = importlib.util.spec_from_file_location("bundled_mixer", HERE / "mixer.py")
    if spec is None or spec.loader is None:
        raise BundleError("mixer.py cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.Mixer


def main() -> int:
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    # As in the campaign.
    torch.set_flush_denormal(True)
    is_same = True
    made_with = _model_facts()["madeWith"]
    for task in tasks():
        model = load(task)
        with torch.no_grad():
            logits = model(fixed_tokens(model.embedding.num_embeddings))
        says = agreement(logits, _model_facts()["tasks"][task]["logits"])
        is_same = is_same and not says.startswith("different")
        facts = {
            "task": task,
            "agreement": says,
            "logits": list(logits.shape),
            "sha256": digest(logits),
            "mean": logits.mean().item(),
            "largest": logits.abs().max().item(),
            "parameters": sum(parameter.numel() for parameter in model.parameters()),
            "torch": torch.__version__,
            "madeWith": made_with,
        }
        print(json.dumps(facts))
    return 0 if is_same else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BundleError as error:
        sys.exit(f"load.py: {error}")

"""Logits of the package's own model on the loader's fixed input: what a bundle must reproduce bit for bit.

Argument: one JSON object (bundle, program, checkpoint, rung, mlpHidden, seed). Prints {task: SHA-256 of the float32 logits}.
"""

from __future__ import annotations

import hashlib
import json
import sys

import torch
from safetensors.torch import load_file

from asi_kernels.models.language_model import build_model
from asi_kernels.programs import load_mixer_class


def fixed_tokens(vocabulary: int) -> torch.Tensor:
    """The same rule as in load.py, written again: tokens [2, 48]."""
    column = torch.arange(48)
    return torch.stack([(31 * row + 7 * column + column * column // 3) % vocabulary for row in range(2)])


def final_weights(path: str, task: str) -> dict[str, torch.Tensor]:
    stored = {tuple(name.split("/", 2)): tensor for name, tensor in load_file(path).items()}
    last = max(int(step) for kind, step, _ in stored if kind == task)
    return {name: tensor for (kind, step, name), tensor in stored.items() if kind == task and int(step) == last}


def main() -> None:
    request = json.loads(sys.argv[1])
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    digests = {}
    for task in request["rung"]["tasks"]:
        mixer_class = load_mixer_class(request["program"])
        model = build_model(mixer_class, request["rung"], task, request["mlpHidden"], request["seed"])
        model.load_state_dict(final_weights(request["checkpoint"], task["kind"]), strict=False)
        with torch.no_grad():
            logits = model.eval()(fixed_tokens(model.vocabulary))
        digests[task["kind"]] = hashlib.sha256(logits.contiguous().numpy().tobytes()).hexdigest()
    print(json.dumps(digests))


if __name__ == "__main__":
    main()

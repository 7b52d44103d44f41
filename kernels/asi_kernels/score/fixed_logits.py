"""What a model says to a fixed input, so that whoever builds it again elsewhere can tell whether it is the same model.

The input, the digest and the sample are those of load.py in every exported bundle.
"""

from __future__ import annotations

import hashlib
import platform
from typing import Any

import torch

_ROWS, _COLUMNS = 2, 48
FIXED_POSITIONS = _ROWS * _COLUMNS
_SAMPLED = 64


def fixed_tokens(vocabulary: int) -> torch.Tensor:
    """Tokens [2, 48], the same for everybody."""
    column = torch.arange(_COLUMNS)
    return torch.stack([(31 * row + 7 * column + column * column // 3) % vocabulary for row in range(_ROWS)])


def logits_facts(task: str, logits: torch.Tensor) -> dict[str, Any] | None:
    """Digest of the float32 bits, mean, largest absolute value and 64 evenly spaced ones of logits [2, 48, V].

    None where they are not finite: JSON has no such numbers, and there is nothing to come close to.
    """
    values = logits.float().contiguous().flatten()
    if not torch.isfinite(values).all():
        return None
    step = max(1, len(values) // _SAMPLED)
    return {
        "task": task,
        "sha256": hashlib.sha256(values.numpy().astype("<f4").tobytes()).hexdigest(),
        "mean": values.mean().item(),
        "largest": values.abs().max().item(),
        "sample": values[::step][:_SAMPLED].tolist(),
    }


def made_with() -> dict[str, str]:
    """What decides the last bits: the version of PyTorch, and the processor as far as its arithmetic goes."""
    capability = torch.backends.cpu.get_cpu_capability()
    return {"torch": torch.__version__, "platform": f"{platform.system()} {platform.machine()} {capability}"}

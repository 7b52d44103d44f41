"""The encoder of all-MiniLM-L6-v2 in plain PyTorch: BERT (arXiv 1810.04805) of six layers, then the mean of the tokens.

sentence-transformers and transformers give the same vectors, but to import them takes four times as long as to read the
weights, at the start of every campaign. Only what this one model needs is here, in evaluation mode.

Shapes: T tokens of one text, D = 384 hidden, H = 12 heads.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch.nn import functional as F

_LONGEST = 256  # sentence_bert_config.json: what the model was trained on; longer texts are cut


class SentenceEncoder:
    """Unit vectors of texts. `folder` holds tokenizer.json, config.json and model.safetensors of the model.

    Raises OSError when a file is missing and ValueError when the configuration is of another kind of model.
    """

    def __init__(self, folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text())
        kind = (config["model_type"], config["hidden_act"], config["position_embedding_type"])
        if kind != ("bert", "gelu", "absolute"):
            raise ValueError(f"{folder / 'config.json'} describes {kind}; right would be ('bert', 'gelu', 'absolute')")
        self._heads: int = config["num_attention_heads"]
        self._layers: int = config["num_hidden_layers"]
        self._epsilon: float = config["layer_norm_eps"]
        self._weights = load_file(folder / "model.safetensors")
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(_LONGEST)
        self._tokenizer.no_padding()

    def encode(self, text: str) -> torch.Tensor:
        """Unit vector [D] float32. A text is encoded by itself, so that no vector depends on its neighbours."""
        tokens = torch.tensor(self._tokenizer.encode(text).ids)
        with torch.no_grad():
            return F.normalize(self._hidden(tokens).mean(0), dim=0)

    def _hidden(self, tokens: torch.Tensor) -> torch.Tensor:
        """[T] to [T, D]."""
        weights = self._weights
        x = (
            weights["embeddings.word_embeddings.weight"][tokens]
            + weights["embeddings.position_embeddings.weight"][: len(tokens)]
            + weights["embeddings.token_type_embeddings.weight"][0]
        )
        x = self._norm(x, "embeddings.LayerNorm")
        for layer in range(self._layers):
            at = f"encoder.layer.{layer}"
            x = self._norm(x + self._attend(x, f"{at}.attention"), f"{at}.attention.output.LayerNorm")
            inner = F.gelu(self._linear(x, f"{at}.intermediate.dense"))
            x = self._norm(x + self._linear(inner, f"{at}.output.dense"), f"{at}.output.LayerNorm")
        return x

    def _attend(self, x: torch.Tensor, at: str) -> torch.Tensor:
        query, key, value = (
            self._linear(x, f"{at}.self.{part}").unflatten(-1, (self._heads, -1)).transpose(0, 1)  # [H, T, D / H]
            for part in ("query", "key", "value")
        )
        mixed = F.scaled_dot_product_attention(query, key, value)
        return self._linear(mixed.transpose(0, 1).flatten(1), f"{at}.output.dense")

    def _linear(self, x: torch.Tensor, name: str) -> torch.Tensor:
        return F.linear(x, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"])

    def _norm(self, x: torch.Tensor, name: str) -> torch.Tensor:
        weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        return F.layer_norm(x, weight.shape, weight, bias, self._epsilon)

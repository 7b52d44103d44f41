"""The language model around a mixer: fixed by its seed, fair to every mixer, and strict about what a mixer returns."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from asi_kernels.models.language_model import LanguageModel, MixerContractError, build_model, task_vocabulary
from asi_kernels.programs import load_mixer_class


class Plain(nn.Module):
    def __init__(self, hidden_size: int, num_heads: int, layer_index: int = 0, num_layers: int = 1) -> None:
        super().__init__()
        self.map = nn.Linear(hidden_size, hidden_size)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, None]:
        return self.map(x), None


class Greedy(Plain):
    """Draws many numbers before its own parameters, and sets a value that no common initialisation would give."""

    def __init__(self, hidden_size: int, num_heads: int, layer_index: int = 0, num_layers: int = 1) -> None:
        torch.randn(1000)
        super().__init__(hidden_size, num_heads)
        self.own = nn.Parameter(torch.full((hidden_size, hidden_size), 7.0 + layer_index))
        nn.init.constant_(self.map.bias, -3.0)


def model_of(mixer: type[nn.Module], seed: int = 0) -> LanguageModel:
    return LanguageModel(mixer, vocabulary=20, hidden=16, heads=2, layers=2, mlp_hidden=24, seed=seed)


def test_logits_have_a_value_for_every_token_of_the_vocabulary() -> None:
    assert model_of(Plain)(torch.randint(20, (3, 7))).shape == (3, 7, 20)


def test_a_mixer_keeps_the_values_it_gave_itself() -> None:
    mixers = [block.mixer for block in model_of(Greedy).blocks]
    assert [mixer.own[0, 0].item() for mixer in mixers] == [7.0, 8.0]
    assert all((mixer.map.bias == -3.0).all() for mixer in mixers)


def test_the_seed_fixes_every_value_and_the_callers_random_state_stays() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first = model_of(Plain, seed=3).state_dict()
    assert torch.equal(before, torch.get_rng_state())
    torch.randn(9)
    again, other = model_of(Plain, seed=3).state_dict(), model_of(Plain, seed=4).state_dict()
    assert all(torch.equal(value, again[name]) for name, value in first.items())
    assert not torch.equal(first["embedding.weight"], other["embedding.weight"])


def test_two_mixers_meet_the_same_embedding_and_mlps_under_one_seed() -> None:
    plain, greedy = model_of(Plain).state_dict(), model_of(Greedy).state_dict()
    for name in ("embedding.weight", "blocks.0.mlp.down.weight", "blocks.1.mlp.gate_up.weight"):
        assert torch.equal(plain[name], greedy[name])


def test_layers_start_from_different_values() -> None:
    state = model_of(Plain).state_dict()
    assert not torch.equal(state["blocks.0.mixer.map.weight"], state["blocks.1.mixer.map.weight"])


def test_the_head_is_the_embedding() -> None:
    wide = [name for name, value in model_of(Plain).named_parameters() if 20 in value.shape]
    assert wide == ["embedding.weight"]


def test_a_sequence_in_pieces_gives_the_logits_of_the_whole(
    tmp_path: Path, tiny_rung: dict[str, Any], deltanet_program: str
) -> None:
    (tmp_path / "mixer.py").write_text(deltanet_program)
    task = {**tiny_rung["tasks"][0], "layers": 2}
    model = build_model(load_mixer_class(tmp_path / "mixer.py"), tiny_rung, task, 32, seed=1).double().eval()
    tokens = torch.randint(task_vocabulary(task), (2, 21), generator=torch.Generator().manual_seed(0))
    whole, state, pieces = model(tokens), None, []
    for piece in tokens.split([1, 9, 4, 7], dim=1):
        logits, state = model.stream(piece, state)
        pieces.append(logits)
    assert torch.allclose(torch.cat(pieces, 1), whole, atol=1e-10)


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (lambda x: x, "must return the tuple"),
        (lambda x: (x, None, None), "must return the tuple"),
        (lambda x: (x.tolist(), None), "y as list"),
        (lambda x: (x[:, :-1], None), r"\[2, 4, 16\]"),
        (lambda x: (x.double(), None), "float64"),
    ],
)
def test_a_return_off_the_contract_is_named(returned: Any, said: str) -> None:
    class Off(Plain):
        def forward(self, x: torch.Tensor) -> Any:
            return returned(x)

    with pytest.raises(MixerContractError, match=said):
        model_of(Off)(torch.randint(20, (2, 5)))

"""The written-out AdamW is torch's, and the schedule is the one of the rung's contract."""

import copy
import itertools
import math

import pytest
import torch
from torch import nn

from asi_kernels.train.optimiser import Optimiser, learning_rate

TASK = {"steps": 40, "learningRate": 1e-2, "weightDecay": 0.1}


def loss_of(model: nn.Module, step: int) -> torch.Tensor:
    x = torch.randn(16, 6, generator=torch.Generator().manual_seed(step))
    return model(x).pow(2).sum() * (30.0 if step % 3 else 0.01)  # above and below the clip


def test_it_makes_the_steps_of_torchs_adamw_with_clipping() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 20), nn.Tanh(), nn.Linear(20, 3))
    twin = copy.deepcopy(model)
    ours = Optimiser(model, TASK)
    groups = [
        {"params": [parameter for parameter in twin.parameters() if parameter.dim() >= 2], "weight_decay": 0.1},
        {"params": [parameter for parameter in twin.parameters() if parameter.dim() < 2], "weight_decay": 0.0},
    ]
    theirs = torch.optim.AdamW(groups, betas=(0.9, 0.98))
    for step in range(40):
        loss_of(model, step).backward()
        norm = ours.step(step)
        loss_of(twin, step).backward()
        assert norm == pytest.approx(nn.utils.clip_grad_norm_(twin.parameters(), 1.0).item(), rel=1e-4)
        for group in theirs.param_groups:
            group["lr"] = learning_rate(TASK, step)
        theirs.step()
        theirs.zero_grad()
    for mine, other in zip(model.parameters(), twin.parameters(), strict=True):
        assert torch.allclose(mine, other, atol=2e-6)
        assert mine.grad is None


def test_vectors_do_not_decay_and_matrices_do() -> None:
    model = nn.Linear(4, 4)
    before = copy.deepcopy(model)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    Optimiser(model, TASK).step(10)
    assert torch.equal(model.bias, before.bias)
    assert torch.allclose(model.weight, before.weight * (1 - learning_rate(TASK, 10) * 0.1))


def test_a_gradient_that_is_not_finite_changes_nothing() -> None:
    model = nn.Linear(4, 4)
    before, optimiser = copy.deepcopy(model), Optimiser(model, TASK)
    (model(torch.ones(1, 4)).sum() * math.inf).backward()
    assert not math.isfinite(optimiser.step(0))
    assert torch.equal(model.weight, before.weight)
    assert int(optimiser.state()["count"]) == 0


def test_complex_and_unused_parameters_are_taken() -> None:
    model = nn.Linear(3, 3)
    model.phase = nn.Parameter(torch.randn(3, 3, dtype=torch.complex64))
    model.unused = nn.Parameter(torch.ones(3))
    before = model.phase.detach().clone()
    (model(torch.ones(1, 3)).sum() + (model.phase * (1 + 2j)).abs().sum()).backward()
    Optimiser(model, TASK).step(10)
    assert not torch.equal(model.phase, before)
    assert torch.equal(model.unused, torch.ones(3))


def test_the_rate_warms_up_over_a_tenth_and_ends_at_a_twentieth_of_its_peak() -> None:
    rates = [learning_rate({"steps": 100, "learningRate": 1.0}, step) for step in range(100)]
    assert rates[:10] == pytest.approx([0.1 * (step + 1) for step in range(10)])
    assert max(rates) == rates[9] == 1.0
    assert rates[54] == pytest.approx(0.525, abs=1e-9)  # half-way down the cosine
    assert rates[-1] == pytest.approx(0.05)
    assert all(later < earlier for earlier, later in itertools.pairwise(rates[9:]))
    assert learning_rate({"steps": 1, "learningRate": 1.0}, 0) == 1.0


class _Block(nn.Module):
    def __init__(self, mixer: nn.Module) -> None:
        super().__init__()
        self.mixer = mixer
        self.mixer_norm = nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.mixer(x) + self.mixer_norm(x)


class _Stored(nn.Module):
    """The same function, its weights stored at a part of their size."""

    def __init__(self, inner: nn.Linear, scale: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(inner.weight.detach() / scale)
        self._scale = scale

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.linear(x, self._scale * self.weight)


def test_pull_rises_with_the_scale_that_weights_are_stored_at_and_goes_on_from_a_checkpoint() -> None:
    torch.manual_seed(0)
    mixer = nn.Linear(6, 3, bias=False)
    models = {scale: nn.ModuleDict({"block": _Block(_Stored(mixer, scale))}) for scale in (1.0, 8.0)}
    models[8.0]["block"].mixer_norm.load_state_dict(models[1.0]["block"].mixer_norm.state_dict())
    pulls = {}
    for scale, model in models.items():
        optimiser = Optimiser(model, TASK)
        assert optimiser.pull is None
        loss_of(model["block"], 0).backward()
        optimiser.step(0)
        pulls[scale] = (optimiser.pull, optimiser.pull_of_one)
        resumed = Optimiser(model, TASK)
        resumed.load_state(optimiser.state())
        assert (resumed.pull, resumed.pull_of_one) == pulls[scale]
    assert pulls[8.0] == pytest.approx([8 * pull for pull in pulls[1.0]], rel=1e-4)
    plain = Optimiser(nn.Linear(6, 3), TASK)
    loss_of(nn.Linear(6, 3), 0).backward()
    assert (plain.pull, plain.pull_of_one) == (None, None), "a model without a mixer has none"


def test_no_step_counts_for_many_in_the_pull() -> None:
    """A mixer can make the gradients of everything before it huge at one step, and its own vanish beside them."""
    pulls = []
    for first in (1.0, 1e6):
        torch.manual_seed(0)
        model = nn.ModuleDict({"block": _Block(nn.Linear(6, 3, bias=False))})
        optimiser = Optimiser(model, TASK)
        for step in range(20):
            (loss_of(model["block"], step)).backward()
            if step == 0:
                for name, parameter in model.named_parameters():
                    if ".mixer." not in name and parameter.grad is not None:
                        parameter.grad.mul_(first)
            optimiser.step(step)
        pulls.append((optimiser.pull, optimiser.pull_of_one))
    (usual, usual_of_one), (pull, pull_of_one) = pulls
    assert pull > 0.6 * usual
    assert pull_of_one > 0.4 * usual_of_one


class _Beside(nn.Module):
    """A mixer with so many idle numbers beside it."""

    def __init__(self, inner: nn.Module, num_idle: int) -> None:
        super().__init__()
        self._inner = inner
        self._idle = nn.Parameter(torch.zeros(num_idle))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self._inner(x) + 1e-6 * self._idle.sum()


def test_idle_numbers_do_not_thin_the_pull_of_one() -> None:
    pulls = []
    for num_idle in (1, 10_000):
        torch.manual_seed(0)
        model = nn.ModuleDict({"block": _Block(_Beside(nn.Linear(6, 3, bias=False), num_idle))})
        optimiser = Optimiser(model, TASK)
        loss_of(model["block"], 0).backward()
        optimiser.step(0)
        pulls.append(optimiser.pull_of_one)
    assert pulls[1] == pytest.approx(pulls[0], rel=0.05)

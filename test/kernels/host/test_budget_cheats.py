"""Programs that would train otherwise than they say, as jobs of a real host.

The trainer is another process than the program's: what a program does to the modules that it shares with the trainer
changes nothing, to the bit. What it can still do, more work and another model, the host counts when the job is dead.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from asi_kernels.gates.sizes import measure_sizes
from asi_kernels.programs import load_mixer_class

PROGRAMS = Path(__file__).parents[2] / "cheats" / "programs"
# Each reaches for loss, steps, clock or weights of the trainer. (What its own mixers begin with is its own affair.)
TAMPER = [
    "e01_patches_cross_entropy",
    "e02_patches_clocks",
    "e23_trained_at_birth",
    "e24_more_steps",
]


@pytest.fixture
def request_of(make_trial: Any) -> Any:
    """request_of(workdir, name): the request of a program of test/cheats, with the sizes that the gates count."""

    def make(workdir: Path, name: str, **options: Any) -> dict[str, Any]:
        request = make_trial(workdir, (PROGRAMS / f"{name}.py").read_text(), **options)
        honest = load_mixer_class(PROGRAMS / "honest.py")
        request["sizes"] = [size.row() for size in measure_sizes(honest, honest, request["rung"], 0)]
        (workdir / "request.json").write_text(json.dumps(request))
        return request

    return make


@pytest.fixture(scope="module")
def trained_honestly(host: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Filled by the first test that trains the honest program."""
    del host, tmp_path_factory
    return {}


def train(host: Any, workdir: Path, request_of: Any, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The result and every snapshot of a training that must end well."""
    request_of(workdir, name)
    end = host.run(name, workdir)
    assert end["label"] is None, end
    result = json.loads((workdir / "result.json").read_text())
    assert result["status"] == "trained", result
    return result, load_file(result["checkpointPath"])


@pytest.mark.parametrize("name", TAMPER)
def test_tampering_with_the_trainer_changes_no_bit_of_the_training(
    host: Any, tmp_path: Path, request_of: Any, trained_honestly: dict[str, Any], name: str
) -> None:
    if not trained_honestly:
        trained_honestly["result"], trained_honestly["weights"] = train(host, tmp_path / "honest", request_of, "honest")
    result, weights = train(host, tmp_path / name, request_of, name)
    assert result["lossDigest"] == trained_honestly["result"]["lossDigest"]
    assert weights.keys() == trained_honestly["weights"].keys()
    assert all(weights[key].equal(value) for key, value in trained_honestly["weights"].items())


def test_weights_that_are_not_declared_are_in_no_snapshot(host: Any, tmp_path: Path, request_of: Any) -> None:
    # Its gradients are false too: a training whose lot falls on a step where that shows ends there, without a snapshot.
    for attempt in range(8):
        workdir = tmp_path / f"hidden-{attempt}"
        request_of(workdir, "e23_hidden_weights")
        end = host.run(f"e23_hidden_weights-{attempt}", workdir)
        assert end["label"] is None, end
        result = json.loads((workdir / "result.json").read_text())
        if result["status"] == "trained":
            break
        assert (result["label"], result["checkpointPath"]) == ("integrity", None)
    else:
        return
    weights = load_file(result["checkpointPath"])
    _, honest = train(host, tmp_path / "honest", request_of, "honest")
    assert weights.keys() == honest.keys()


def test_a_larger_model_than_the_gates_counted_ends_with_both_numbers(
    host: Any, tmp_path: Path, request_of: Any
) -> None:
    request = request_of(tmp_path, "e24_larger_model")
    end = host.run("larger", tmp_path)
    assert json.loads((tmp_path / "result.json").read_text())["status"] == "trained"
    assert end["label"] == "integrity", end
    assert "holds another model than the gates counted" in end["detail"]
    assert f"against {request['sizes'][0]['layout']['numbers']:,}" in end["detail"]


def test_more_work_than_declared_is_in_the_supervisors_count(host: Any, tmp_path: Path, request_of: Any) -> None:
    used = {}
    for name in ("honest", "e24_works_more"):
        workdir = tmp_path / name
        request_of(workdir, name, steps=150, kinds=("bytes",), report_every=50, checkpoint_every=100)
        end = host.run(name, workdir)
        assert end["label"] is None, end
        used[name] = end["cpuSeconds"]
    assert used["e24_works_more"] > 2.5 * used["honest"]

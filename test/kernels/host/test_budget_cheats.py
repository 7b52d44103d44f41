"""Programs that train another model or for longer than the gates counted, as jobs of a real host.

What they say of themselves fits: only what the host sees when they are dead tells.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from asi_kernels.gates.sizes import measure_sizes
from asi_kernels.programs import load_mixer_class

PROGRAMS = Path(__file__).parents[2] / "cheats" / "programs"


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


def test_a_larger_model_than_the_gates_counted_ends_with_both_numbers(
    host: Any, tmp_path: Path, request_of: Any
) -> None:
    request = request_of(tmp_path, "e24_larger_model")
    end = host.run("larger", tmp_path)
    assert json.loads((tmp_path / "result.json").read_text())["status"] == "trained"
    assert end["label"] == "integrity", end
    assert "holds another model than the gates counted" in end["detail"]
    assert f"against {request['sizes'][0]['layout']['numbers']:,}" in end["detail"]


def test_the_honest_program_is_taken(host: Any, tmp_path: Path, request_of: Any) -> None:
    request_of(tmp_path, "honest")
    end = host.run("honest", tmp_path)
    assert end["label"] is None, end


def test_four_steps_for_one_are_in_the_supervisors_count_whatever_the_clock_of_the_job_says(
    host: Any, tmp_path: Path, request_of: Any
) -> None:
    used = {}
    for name in ("honest", "e24_more_steps"):
        workdir = tmp_path / name
        request_of(workdir, name, steps=500, kinds=("bytes",), report_every=50, checkpoint_every=100)
        end = host.run(name, workdir)
        assert end["label"] is None, end
        used[name] = end["cpuSeconds"]
    claimed = json.loads((tmp_path / "e24_more_steps" / "result.json").read_text())["cpuSeconds"]
    assert used["e24_more_steps"] > 2.5 * used["honest"]
    assert claimed < used["e24_more_steps"] / 2

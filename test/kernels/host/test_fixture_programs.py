"""Programs that pass the gates and turn bad in training, and the check itself, as the host runs them."""

import json
from pathlib import Path
from typing import Any

import pytest

PROGRAMS = Path(__file__).parents[2] / "fixtures" / "programs"
EXPECTED = {
    "crash": ("signal",),
    "exit0": ("no_result", "exit"),
    "flood": ("log_flood",),
    "hang": ("timeout_idle", "timeout_wall"),
    "nan": ("nonfinite",),
    "write_elsewhere": ("forbidden_write",),
}


def result_of(workdir: Path) -> dict[str, Any]:
    return json.loads((workdir / "result.json").read_text())


def write_check(workdir: Path, program: str, reference: str, rung: dict[str, Any]) -> None:
    (workdir / "mixer.py").write_text(program)
    (workdir / "reference.py").write_text(reference)
    paths = {"programPath": str(workdir / "mixer.py"), "referencePath": str(workdir / "reference.py")}
    (workdir / "request.json").write_text(json.dumps({**paths, "rung": rung, "seed": 0, "cuts": 8, "flopsLimit": 1.25}))


@pytest.mark.parametrize("name", EXPECTED)
def test_a_program_that_turns_bad_in_training_has_its_label(
    host: Any, tmp_path: Path, make_trial: Any, name: str
) -> None:
    make_trial(tmp_path, (PROGRAMS / "hostile" / f"{name}.py").read_text(), steps=30)
    end = host.run(name, tmp_path, idleSeconds=2)
    # A job that its host ended may leave no result.
    result = {"label": end["label"]} if end["label"] else result_of(tmp_path)
    assert result["label"] in EXPECTED[name], (end, result)


def test_the_check_passes_a_baseline_under_the_tripwire(
    host: Any, tmp_path: Path, tiny_rung: dict[str, Any], deltanet_program: str
) -> None:
    write_check(tmp_path, deltanet_program, deltanet_program, tiny_rung)
    end = host.run("check", tmp_path, "check")
    assert end["label"] is None, end
    assert result_of(tmp_path)["status"] == "pass", result_of(tmp_path)["detail"]


def test_a_program_that_hangs_in_the_check_is_ended(
    host: Any, tmp_path: Path, tiny_rung: dict[str, Any], deltanet_program: str
) -> None:
    hanging = (PROGRAMS / "hostile" / "hang_in_check.py").read_text()
    write_check(tmp_path, hanging, deltanet_program, tiny_rung)
    assert host.run("hang-check", tmp_path, "check", wallSeconds=2)["label"] == "timeout_wall"


def test_prepare_runs_in_the_host_and_may_write_to_its_cache(host: Any, tmp_path: Path) -> None:
    text, workdir = tmp_path / "text", tmp_path / "work"
    text.mkdir()
    workdir.mkdir()
    for index in range(120):
        (text / f"{index}.txt").write_text(f"text {index} " * 30)
    request = {
        "source": {"kind": "folder", "path": str(text)},
        "cacheFolder": str(tmp_path / "cache"),
        "judgeFolder": str(tmp_path / "judge"),
        "minimumTrainBytes": 1,
        "minimumHeldOutBytes": 1,
    }
    (workdir / "request.json").write_text(json.dumps(request))
    assert host.run("prepare", workdir, "prepare")["label"] is None
    assert Path(result_of(workdir)["manifest"]["folder"]).parent == tmp_path / "cache"

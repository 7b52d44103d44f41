"""The table of trials is resumed, shared and named by what trials give."""

import json
from pathlib import Path

import pytest

from asi_kernels.bench import nulls_table
from asi_kernels.bench.nulls_table import Key, NullsTable, null_program, sets_of

BITS = {"search": 2.5, "promotion": 2.4, "champion": 2.6}


def test_rows_survive(tmp_path: Path) -> None:
    path = tmp_path / "nulls" / "abc.json"
    NullsTable(path, "quick", "abc").add(Key("kda", 0, 1.0, 3), BITS)
    again = NullsTable(path, "quick", "abc")
    assert again.has(Key("kda", 0, 1.0, 3))
    assert not again.has(Key("kda", 1, 1.0, 3))
    assert not again.has(Key("kda", 0, 2.0, 3))
    stored = json.loads(path.read_text())
    assert stored["fingerprint"] == "abc"
    assert stored["rows"] == [{"baseline": "kda", "replicate": 0, "rate": 1.0, "seed": 3, "bits": BITS}]


def test_two_runs_keep_each_others_rows(tmp_path: Path) -> None:
    path = tmp_path / "abc.json"
    first, second = NullsTable(path, "quick", "abc"), NullsTable(path, "quick", "abc")
    first.add(Key("kda", 0, 1.0, 1), BITS)
    second.add(Key("kda", 0, 1.0, 2), BITS)
    third = NullsTable(path, "quick", "abc")
    assert third.has(Key("kda", 0, 1.0, 1))
    assert third.has(Key("kda", 0, 1.0, 2))


def test_the_champion_set_is_asked_about_the_first_seeds_of_a_baseline_at_its_own_rate() -> None:
    assert sets_of(Key("kda", 0, 1.0, 2), 3) == ("search", "promotion", "champion")
    assert sets_of(Key("kda", 0, 1.0, 3), 3) == ("search", "promotion")
    assert sets_of(Key("kda", 0, 2.0, 0), 3) == ("promotion",)
    assert sets_of(Key("kda", 1, 1.0, 0), 3) == ("promotion",)


def test_a_replicate_is_the_same_architecture_with_other_initial_values(tmp_path: Path) -> None:
    import torch

    from asi_kernels.models.language_model import build_model
    from asi_kernels.programs import load_mixer_class

    rung = {"hidden": 16, "heads": 2}
    task = {"kind": "bytes", "layers": 2}
    models = []
    for replicate in (0, 1, 2):
        path = tmp_path / f"mixer{replicate}.py"
        path.write_text(null_program("kda", replicate))
        models.append(build_model(load_mixer_class(path), rung, task, 32, 7).state_dict())
    for replicate in models[1:]:
        assert replicate.keys() == models[0].keys()
        assert torch.equal(replicate["embedding.weight"], models[0]["embedding.weight"])
        mixers = [name for name in replicate if ".mixer." in name and replicate[name].dim() == 2]
        assert any(not torch.equal(replicate[name], models[0][name]) for name in mixers)
        assert all(torch.equal(value, models[0][name]) for name, value in replicate.items() if ".mlp." in name)
    assert any(not torch.equal(models[1][name], models[2][name]) for name in models[1])


def test_a_run_trains_what_is_missing_and_prints_the_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--rung", "tiny", "--baselines", "deltanet", "--replicates", "0", "--processes", "1"]
    arguments += ["--champion-seeds", "0", "--cache", str(tmp_path)]
    assert nulls_table.main([*arguments, "--seeds", "1"]) == 0
    assert nulls_table.main([*arguments, "--seeds", "2", "--rates", "2"]) == 0
    out, err = capsys.readouterr()
    first, second = out.split()
    assert first == second
    assert "4 of 4 trainings" in err
    rows = json.loads(Path(second).read_text())["rows"]
    assert [(row["rate"], row["seed"]) for row in rows] == [(1.0, 0), (1.0, 1), (2.0, 0), (2.0, 1)]
    own, faster = rows[0]["bits"], rows[2]["bits"]
    assert set(own) == {"search", "promotion"}
    assert own["search"] != own["promotion"]
    assert set(faster) == {"promotion"}
    assert 0 < faster["promotion"] != own["promotion"] > 0

"""The check command on real programs: planted defects, honest mixers, baselines and programs that bide their time."""

import hashlib
import json
import random
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import torch
from jsonschema import Draft202012Validator

from asi_kernels.gates.check import run
from asi_kernels.gates.outcome import GATES
from asi_kernels.generate.baselines import baseline_genome, baseline_names
from asi_kernels.generate.emit import emit_program
from asi_kernels.models.language_model import build_model
from asi_kernels.programs import load_mixer_class

_PROGRAMS = Path(__file__).parents[2] / "fixtures" / "programs"
_SCHEMAS = Path(__file__).parents[3] / "kernels" / "asi_kernels" / "schemas"
_RESULT = Draft202012Validator(json.loads((_SCHEMAS / "check-result.json").read_text()))
_RUNGS = json.loads((_SCHEMAS / "rungs.json").read_text())
_QUICK = {**_RUNGS["quick"], "heads": 4}
_FLOPS_LIMIT = 1.25
_GENEROUS_FLOPS = 20.0  # what a design costs is its own affair where only its honesty is asked
_LABELS = {"finite": "nonfinite", "extremes": "nonfinite", "parameters": "unmatched"}
_CONTRACT_LABELS = {"syntax_error": "compile_error", "import_fails": "import_error"}


def _files(folder: str) -> list[Path]:
    return sorted((_PROGRAMS / folder).glob("*.py"))


def _gate_that_catches(path: Path) -> str:
    found = re.search(r"^Caught by: ([\w-]+)\.$", path.read_text(), re.MULTILINE)
    assert found, f"{path} does not say which gate catches it"
    return found[1]


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("reference") / "deltanet.py"
    path.write_text(emit_program(baseline_genome("deltanet"), "deltanet", "reference"))
    return path


def _check(
    program: Path,
    reference: Path,
    *,
    rung: dict | None = None,
    seed: int = 0,
    cuts: int = 8,
    flops_limit: float = _FLOPS_LIMIT,
) -> dict:
    request = {
        "programPath": str(program),
        "referencePath": str(reference),
        "rung": rung or _QUICK,
        "seed": seed,
        "cuts": cuts,
        "flopsLimit": flops_limit,
    }
    result = run(request, program.parent)
    _RESULT.validate(json.loads(json.dumps(result, allow_nan=False)))
    assert tuple(row["gate"] for row in result["gates"]) == GATES
    return result


def _fallen(result: dict) -> set[str]:
    return {row["gate"] for row in result["gates"] if row["verdict"] == "fail"}


def _row(result: dict, gate: str) -> dict:
    return next(row for row in result["gates"] if row["gate"] == gate)


@pytest.fixture(scope="session")
def check_defect(reference: Path) -> Callable[[Path], dict]:
    """The check of a planted defect, run once for all tests that look at it."""
    return cache(lambda path: _check(path, reference))


@pytest.mark.parametrize("path", _files("defects"), ids=lambda path: path.stem)
def test_a_planted_defect_falls_at_its_gate_and_gets_the_label_of_it(
    path: Path, check_defect: Callable[[Path], dict]
) -> None:
    result = check_defect(path)
    gate = _gate_that_catches(path)
    fallen = _fallen(result)
    assert result["status"] == "fail"
    assert gate in fallen, result["gates"]
    if gate == "contract":
        assert result["label"] == _CONTRACT_LABELS.get(path.stem, "rejected_static")
        assert result["sizes"] is None
    elif fallen == {gate}:
        assert result["label"] == _LABELS.get(gate, "gate")
    told = result["detail"]
    assert f"{gate}: {_row(result, gate)['evidence'][:200]}" in told or len(told) == 3900
    assert "\n" not in told


@pytest.mark.parametrize("gate", GATES)
def test_each_gate_is_the_first_to_catch_a_planted_defect(gate: str, check_defect: Callable[[Path], dict]) -> None:
    """Without the gate the defect would have gone on to the next, or through."""
    for path in _files("defects"):
        if _gate_that_catches(path) == gate:
            fallen = [row["gate"] for row in check_defect(path)["gates"] if row["verdict"] == "fail"]
            if fallen[0] == gate:
                return
    pytest.fail(f"no defect falls at {gate} first")


@pytest.mark.parametrize("path", _files("honest"), ids=lambda path: path.stem)
def test_an_honest_mixer_passes_every_gate(path: Path, reference: Path) -> None:
    result = _check(path, reference, flops_limit=_GENEROUS_FLOPS)
    assert (result["status"], result["label"], _fallen(result)) == ("pass", None, set()), result["detail"]
    for row in result["gates"]:
        assert row["verdict"] == "pass" or row["gate"] == "streaming", row
    streaming = _row(result, "streaming")
    assert streaming["verdict"] == "pass" or "which the contract allows" in streaming["evidence"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("path", _files("honest"), ids=lambda path: path.stem)
def test_an_honest_mixer_passes_from_any_seed(path: Path, seed: int, reference: Path) -> None:
    result = _check(path, reference, seed=seed, cuts=100, flops_limit=_GENEROUS_FLOPS)
    assert result["status"] == "pass", result["detail"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("name", baseline_names())
def test_a_baseline_passes_from_any_seed(name: str, seed: int, reference: Path, tmp_path: Path) -> None:
    program = tmp_path / f"{name}.py"
    program.write_text(emit_program(baseline_genome(name), name, "baseline"))
    result = _check(program, reference, rung=_RUNGS["standard"], seed=seed, cuts=300, flops_limit=4.0)
    assert result["status"] == "pass", result["detail"]


_DRAWN = 40


@pytest.mark.parametrize(
    "number", [*range(0, _DRAWN, 10), *(pytest.param(n, marks=pytest.mark.slow) for n in range(_DRAWN) if n % 10)]
)
def test_a_drawn_genome_falls_at_nothing_but_its_size(
    number: int, draw_genome: Callable[[random.Random], dict], reference: Path, tmp_path: Path
) -> None:
    """A design drawn at random may be too large for the rung; every other failure would be a false one."""
    program = tmp_path / "drawn.py"
    program.write_text(emit_program(draw_genome(random.Random(1_000 + number)), "drawn", "random"))
    result = _check(program, reference, rung=_RUNGS["quick"], seed=number, flops_limit=_GENEROUS_FLOPS)
    assert _fallen(result) <= {"parameters"}, result["detail"]


def test_a_module_that_forward_changes_is_named_as_the_cause_of_what_the_comparisons_saw(
    reference: Path, tmp_path: Path
) -> None:
    program = tmp_path / "spectral.py"
    program.write_text(
        "import torch\nfrom torch import nn\n\n\nclass Mixer(nn.Module):\n"
        "    def __init__(self, hidden_size, num_heads, layer_index=0, num_layers=1):\n"
        "        super().__init__()\n"
        "        self.inner = nn.utils.spectral_norm(nn.Linear(hidden_size, hidden_size))\n\n"
        "    def forward(self, x, state=None):\n"
        "        return torch.tanh(self.inner(x)).cumsum(1), None\n"
    )
    result = _check(program, reference)
    compared = [gate for gate in ("batch", "causality", "repeat", "mode") if gate in _fallen(result)]
    assert len(compared) > 1
    assert _row(result, "buffers")["evidence"].startswith("forward changes attribute inner.weight")
    for gate in compared:
        assert "(see buffers)" in _row(result, gate)["evidence"]
    assert "(see buffers)" not in _row(result, "buffers")["evidence"]


def test_there_are_twenty_honest_architectures() -> None:
    assert len(_files("honest")) + len(baseline_names()) >= 20


@pytest.mark.parametrize("name", baseline_names())
@pytest.mark.parametrize("rung", ["tiny", "quick"])
def test_a_baseline_passes_every_gate(name: str, rung: str, reference: Path, tmp_path: Path) -> None:
    program = tmp_path / f"{name}.py"
    program.write_text(emit_program(baseline_genome(name), name, "baseline"))
    result = _check(program, reference, rung=_RUNGS[rung], seed=5)
    assert result["status"] == "pass", result["detail"]


_KNOWN = {"hang_in_check", "write_elsewhere"}


@pytest.mark.parametrize(
    "path", [path for path in _files("hostile") if path.stem not in _KNOWN], ids=lambda path: path.stem
)
def test_a_program_that_bides_its_time_gets_past_the_gates(path: Path, reference: Path) -> None:
    """Other tests rely on it: what such a program does in training must be caught there."""
    assert _check(path, reference)["status"] == "pass"


def test_a_program_that_writes_a_file_is_told_by_its_text(reference: Path) -> None:
    result = _check(_PROGRAMS / "hostile" / "write_elsewhere.py", reference)
    assert result["label"] == "rejected_static"
    assert "attribute tofile" in result["detail"]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "name",
    [
        "leak_when_spiky",
        "leak_when_repeated",
        "leak_when_zero",
        "leak_past_quiet_token",
        "leak_behind_zero",
        "leak_at_odd_chunk",
        "chunk_anchor_rounding",
    ],
)
def test_a_leak_that_needs_its_trigger_is_found_from_any_seed(name: str, seed: int, reference: Path) -> None:
    result = _check(_PROGRAMS / "defects" / f"{name}.py", reference, rung=_RUNGS["tiny"], seed=seed)
    assert "causality" in _fallen(result)


def test_a_leak_between_rows_alone_is_not_called_a_leak_from_the_future(reference: Path) -> None:
    for name in ("batch_mean", "state_across_rows"):
        result = _check(_PROGRAMS / "defects" / f"{name}.py", reference)
        assert _row(result, "causality")["verdict"] == "pass", name


def test_rounding_from_the_future_is_named_as_such(reference: Path) -> None:
    row = _row(_check(_PROGRAMS / "defects" / "chunk_anchor_rounding.py", reference), "causality")
    assert "rounding level" in row["evidence"]
    assert 0.0 < row["measured"] < 1e-9
    assert row["limit"] == 0.0


def test_only_a_program_that_transforms_gets_a_tolerance_for_causality(reference: Path) -> None:
    transformed = _row(_check(_PROGRAMS / "honest" / "fft_long_conv.py", reference), "causality")
    assert 0.0 < transformed["measured"] <= transformed["limit"] <= 1e-9
    plain = _row(_check(_PROGRAMS / "honest" / "gated_conv.py", reference), "causality")
    assert (plain["measured"], plain["limit"]) == (0.0, 0.0)


def test_evidence_of_a_leak_names_place_size_mode_and_seed(reference: Path) -> None:
    row = _row(_check(_PROGRAMS / "defects" / "leak_in_eval.py", reference), "causality")
    pattern = (
        r"replacing positions from \d+ .* by up to [\d.e+-]+ rms at cut \d+ of length \d+, layer 0, eval mode, seed 0"
    )
    assert re.search(pattern, row["evidence"])
    assert row["measured"] > 0.01


def test_a_state_that_is_missing_or_ignored_is_not_judged(reference: Path, tmp_path: Path) -> None:
    text = (_PROGRAMS / "honest" / "ema.py").read_text()
    kept = _row(_check(_PROGRAMS / "honest" / "ema.py", reference), "streaming")
    assert (kept["verdict"], "token by token" in kept["evidence"]) == ("pass", True)
    forgetful = tmp_path / "forgetful.py"
    forgetful.write_text(text.replace("if state is not None:", "if False:"))
    ignored = _row(_check(forgetful, reference), "streaming")
    assert ignored["verdict"] == "not-applicable"
    assert "the returned state is ignored" in ignored["evidence"]
    none = _row(_check(_PROGRAMS / "honest" / "sliding_window_attention.py", reference), "streaming")
    assert (none["verdict"], "no state is returned" in none["evidence"]) == ("not-applicable", True)


def test_a_quadratic_cost_passes_only_where_it_is_declared(reference: Path, tmp_path: Path) -> None:
    declared = tmp_path / "declared.py"
    text = (_PROGRAMS / "defects" / "softmax_attention.py").read_text()
    declared.write_text(text.replace("class Mixer(nn.Module):", "class Mixer(nn.Module):\n    quadratic = True\n"))
    row = _row(_check(declared, reference), "complexity")
    assert (row["verdict"], "declared quadratic" in row["evidence"]) == ("pass", True)
    assert row["measured"] > 1.5
    window = _row(_check(_PROGRAMS / "honest" / "sliding_window_attention.py", reference), "complexity")
    assert window["measured"] == pytest.approx(1.0, abs=0.05)


def test_each_row_names_the_seed_of_its_probes(reference: Path) -> None:
    result = _check(_PROGRAMS / "honest" / "ema.py", reference, seed=6)
    assert {row["gate"]: row["seed"] for row in result["gates"]} == {
        gate: None if gate == "contract" else 6 for gate in GATES
    }
    fallen = _check(_PROGRAMS / "defects" / "wrong_shape.py", reference, seed=6)
    assert (_row(fallen, "shape")["seed"], _row(fallen, "causality")["seed"]) == (6, None)


def test_a_leak_in_the_second_layer_alone_is_found_on_a_rung_with_one_layer(reference: Path) -> None:
    program = _PROGRAMS / "defects" / "leak_in_second_layer.py"
    assert "causality" in _fallen(_check(program, reference, rung=_RUNGS["tiny"]))


def test_the_matched_width_is_the_one_that_comes_closest_to_the_reference(reference: Path) -> None:
    program = _PROGRAMS / "honest" / "gru_loop.py"
    result = _check(program, reference)
    mixer_class, reference_class = load_mixer_class(program), load_mixer_class(reference)
    for size, task in zip(result["sizes"], _QUICK["tasks"], strict=True):

        def total(width: int, task: dict = task, built: type = mixer_class) -> int:
            return sum(parameter.numel() for parameter in build_model(built, _QUICK, task, width, 3).parameters())

        wanted = total(round(_QUICK["mlpRatio"] * _QUICK["hidden"]), built=reference_class)
        assert size["task"] == task["kind"]
        assert size["referenceParameters"] == wanted
        assert size["parameters"] == total(size["mlpHidden"])
        assert abs(size["parameters"] - wanted) <= 0.02 * wanted
        for other in (size["mlpHidden"] - 1, size["mlpHidden"] + 1):
            assert abs(size["parameters"] - wanted) <= abs(total(other) - wanted)
        mixers = task["layers"] * sum(
            parameter.numel() for parameter in mixer_class(_QUICK["hidden"], _QUICK["heads"]).parameters()
        )
        assert size["mixerParameters"] == mixers


def test_the_reference_checked_against_itself_has_its_own_width_and_a_ratio_of_one(reference: Path) -> None:
    result = _check(reference, reference)
    for size in result["sizes"]:
        assert size["mlpHidden"] == _QUICK["mlpRatio"] * _QUICK["hidden"]
        assert size["flopsPerToken"] == size["referenceFlopsPerToken"]
    assert _row(result, "flops")["measured"] == 1.0


def test_the_same_request_gives_the_same_verdicts_and_leaves_the_random_state_alone(reference: Path) -> None:
    program = _PROGRAMS / "honest" / "lstm_cell_loop.py"
    torch.manual_seed(99)
    before = torch.random.get_rng_state()
    first, second = (_check(program, reference, rung=_RUNGS["tiny"], seed=8) for _ in range(2))
    assert torch.equal(torch.random.get_rng_state(), before)
    for result in (first, second):
        result.pop("cpuSeconds")
        for row in result["gates"]:
            row.pop("seconds")
    assert first == second


def test_the_result_carries_the_hash_of_the_program(reference: Path) -> None:
    program = _PROGRAMS / "honest" / "ema.py"
    assert _check(program, reference)["programHash"] == hashlib.sha256(program.read_bytes()).hexdigest()


def test_an_error_of_the_program_is_told_with_its_line(reference: Path, tmp_path: Path) -> None:
    program = tmp_path / "raises.py"
    text = (_PROGRAMS / "honest" / "ema.py").read_text()
    program.write_text(text.replace("        step = 1\n", "        step = undefined\n"))
    line = next(number for number, words in enumerate(program.read_text().splitlines(), 1) if "undefined" in words)
    result = _check(program, reference)
    assert result["label"] == "gate"
    assert f"NameError at line {line}: name 'undefined' is not defined" in _row(result, "shape")["evidence"]
    assert _row(result, "causality")["evidence"] == "not run: the shape gate failed"


@pytest.mark.parametrize("last", ["self.out(h).float()", "self.out(h.float())"])
def test_a_type_that_is_not_kept_is_told_with_the_remedy(last: str, reference: Path, tmp_path: Path) -> None:
    program = tmp_path / "float.py"
    text = (_PROGRAMS / "defects" / "fixed_dtype.py").read_text()
    program.write_text(text.replace("self.out(h).float()", last))
    result = _check(program, reference)
    assert _fallen(result) == {"shape"}
    evidence = _row(result, "shape")["evidence"]
    assert "float64" in evidence
    assert "go back by .to(x.dtype) before the last projection and return y.to(x.dtype)" in evidence


@pytest.mark.parametrize("error", ["SystemExit", "KeyboardInterrupt", "GeneratorExit"])
@pytest.mark.parametrize("where", ["__init__", "forward"])
def test_a_program_that_asks_to_exit_fails_its_gate_and_the_check_goes_on(
    where: str, error: str, reference: Path, tmp_path: Path
) -> None:
    program = tmp_path / "leaves.py"
    text = (_PROGRAMS / "honest" / "ema.py").read_text()
    anchor = "super().__init__()\n" if where == "__init__" else "        step = 1\n"
    program.write_text(text.replace(anchor, f"{anchor}        raise {error}(0)\n"))
    result = _check(program, reference)
    assert result["status"] == "fail"
    assert error in result["detail"]


def test_a_missing_program_is_the_callers_fault(reference: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        _check(tmp_path / "nowhere.py", reference)


def test_above_the_width_of_the_probes_the_rungs_own_size_runs_once(reference: Path, tmp_path: Path) -> None:
    wide = {**_RUNGS["tiny"], "hidden": 256, "heads": 4}
    honest = _PROGRAMS / "honest" / "ema.py"
    assert _check(honest, reference, rung=wide)["status"] == "pass"
    narrow = tmp_path / "narrow.py"
    narrow.write_text(
        honest.read_text().replace("keep = torch", "x = x + torch.zeros(min(x.shape[2], 200))\n        keep = torch")
    )
    row = _row(_check(narrow, reference, rung=wide), "shape")
    assert (row["verdict"], "256" in row["evidence"]) == ("fail", True)

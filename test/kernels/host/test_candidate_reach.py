"""What a process with the code of a candidate may read of what lies around it, at each tier that closes files: its
program, and nothing that anything could be learnt from.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from asi_kernels.sandbox import landlock
from asi_kernels.sandbox.wall import WallKind, close_reading

_LOOKS = """
import ast, ctypes, importlib, inspect, json, linecache, os, sys
import asi_kernels.programs, safetensors, torch, torch.nn.utils.parametrizations

def word(path, mode="rb"):
    try:
        if os.path.isdir(path):
            return "listed" if os.listdir(path) else "empty"
        with open(path, mode) as file:
            return "read" if file.read(1) else "empty"
    except OSError as error:
        return type(error).__name__

def mapped(path):
    try:
        return "read" if len(torch.from_file(path, size=1, dtype=torch.uint8)) else "empty"
    except RuntimeError:
        return "refused"

def imported(name):
    try:
        return importlib.import_module(name).__name__
    except Exception as error:
        return type(error).__name__

def look(when):
    library = os.path.dirname(ast.__file__)
    print("looked " + json.dumps([when, {
        "request": word("request.json"), "mapped request": mapped("request.json"), "folder": word("."),
        "checkpoints": word("WORKDIR/checkpoints"), "state": word("WORKDIR/checkpoints/state.safetensors"),
        "snapshots": word("WORKDIR/snapshots.safetensors"), "folder of the program": word("WORKDIR"),
        "text": word("TRAIN_BIN"), "mapped text": mapped("TRAIN_BIN"), "data folder": word("DATA_FOLDER"),
        "library": word(ast.__file__), "mapped library": mapped(ast.__file__), "compiled": word(ast.__cached__),
        "library folder": word(library), "torch": word(torch.__file__), "mapped torch": mapped(torch.__file__),
        "torch folder": word(os.path.dirname(torch.__file__)), "native torch": word(torch._C.__file__),
        "package": word(asi_kernels.programs.__file__), "packages": word(os.path.dirname(safetensors.__file__)),
        "interpreter": word(sys.executable), "programs": word("/usr/bin"), "libraries": word("/usr/lib"),
        "root": word("/"), "maps": word("/proc/self/maps"), "memory": word("/proc/self/mem"),
        "descriptors": word("/proc/self/fd"), "parent": word(f"/proc/{os.getppid()}/cmdline"),
        "program": word("WORKDIR/mixer.py"), "processors": word("/proc/cpuinfo"), "random": word("/dev/urandom"),
        "kinds of processors": word("/sys/devices/system/cpu"), "null": word("/dev/null"),
        "loaded": imported("ast"), "not loaded": imported("sched"),
        "lines": sum(len(entry[2]) for name, entry in linecache.cache.items() if len(entry) > 1 and name[0] != "<"),
        "source": linecache.getline(ast.__file__, 1) + linecache.getline(torch.__file__, 1),
    }]), flush=True)

look("import")
"""
_OPEN = {
    **dict.fromkeys(("program", "processors", "random"), "read"),
    "kinds of processors": "listed",
    "null": "empty",
    "loaded": "ast",
    # An import is refused as that of a module that is not there.
    "not loaded": "ModuleNotFoundError",
    # Nothing of a file is left in the cache of sources either.
    "lines": 0,
    "source": "",
}
# There only once a training has written it, or not at all where a wall shows a job no more than its request names.
_MAY_BE_ABSENT = ("checkpoints", "state", "snapshots", "text", "data folder")


def looking(program: str, workdir: Path, data: str) -> str:
    """`program` with a look around as it is imported and in each forward pass."""
    looks = _LOOKS.replace("TRAIN_BIN", f"{data}/train.bin").replace("DATA_FOLDER", data)
    looks = looks.replace("WORKDIR", str(workdir))
    return (looks + program).replace("return self.map(x)", "look('step'); return self.map(x)")


def require_closed(workdir: Path) -> dict[str, Any]:
    """Every look that the log tells found closed what is not in _OPEN. What the last one found."""
    lines = [line.removeprefix("looked ") for line in (workdir / "log.txt").read_text().splitlines()]
    looked = [json.loads(line) for line in lines if line.startswith('["')]
    assert (looked[0][0], looked[-1][0]) == ("import", "step")
    for when, found in looked:
        for name, word in found.items():
            if name in _OPEN:
                assert word == _OPEN[name], (when, name)
            elif name.startswith("mapped"):
                assert word == "refused", (when, name)
            else:
                absent = ("FileNotFoundError",) if name in _MAY_BE_ABSENT else ()
                assert word in ("PermissionError", *absent), (when, name)
    return looked[-1][1]


def test_the_layers_of_a_training_read_their_program_alone(
    walled_host: Any, tmp_path: Path, make_trial: Any, text_manifest: dict[str, Any], plain_program: str
) -> None:
    # Checkpoints are there by the last of its steps.
    program = looking(plain_program, tmp_path, text_manifest["folder"])
    make_trial(tmp_path, program, steps=8, kinds=("bytes",), checkpoint_every=2)
    assert walled_host.run("looks", tmp_path)["label"] is None
    result = json.loads((tmp_path / "result.json").read_text())
    assert (result["status"], result["label"]) == ("trained", None), result["detail"]
    assert (tmp_path / "checkpoints" / "state.safetensors").exists()
    last = require_closed(tmp_path)
    assert {last[name] for name in ("state", "text")} == {"PermissionError"}


def test_what_answers_the_judge_reads_its_program_alone_and_answers_from_its_checkpoint(
    walled_host: Any,
    tmp_path: Path,
    make_trial: Any,
    answer_request: Any,
    ask_host: Any,
    text_manifest: dict[str, Any],
    plain_program: str,
) -> None:
    trained, answering = tmp_path / "trained", tmp_path / "answering"
    program = looking(plain_program, trained, text_manifest["folder"])
    request = make_trial(trained, program, steps=4, kinds=("bytes",), checkpoint_every=2)
    assert walled_host.run("first", trained)["label"] is None
    answering.mkdir()
    path = json.loads((trained / "result.json").read_text())["checkpointPath"]
    result = ask_host(walled_host, answering, answer_request(request, path))
    assert (result["status"], result["label"]) == ("answered", None), result["detail"]
    assert result["fixedLogits"] is not None
    assert require_closed(answering)["snapshots"] == "PermissionError"


def test_the_check_reads_programs_alone(
    walled_host: Any,
    tmp_path: Path,
    tiny_rung: dict[str, Any],
    text_manifest: dict[str, Any],
    plain_program: str,
    deltanet_program: str,
) -> None:
    # Nobody reviews the program that a candidate is compared with: it runs as it is, in the same process.
    (tmp_path / "mixer.py").write_text(deltanet_program)
    (tmp_path / "reference.py").write_text(looking(plain_program, tmp_path, text_manifest["folder"]))
    paths = {"programPath": str(tmp_path / "mixer.py"), "referencePath": str(tmp_path / "reference.py")}
    request = {**paths, "rung": tiny_rung, "seed": 0, "cuts": 2, "flopsLimit": 99.0}
    (tmp_path / "request.json").write_text(json.dumps(request))
    assert walled_host.run("check", tmp_path, "check")["label"] is None
    gates = json.loads((tmp_path / "result.json").read_text())["gates"]
    assert [row["gate"] for row in gates if row["verdict"] == "fail"] in ([], ["parameters"])
    require_closed(tmp_path)


def test_an_author_is_told_the_line_of_the_own_program(
    walled_host: Any, tmp_path: Path, make_trial: Any, plain_program: str
) -> None:
    broken = plain_program.replace("return self.map(x)", "return self.map(x.permute(0, 2, 1))")
    make_trial(tmp_path, broken, steps=2, kinds=("bytes",))
    assert walled_host.run("broken", tmp_path)["label"] is None
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["label"] == "exit"
    assert "mixer.py:12 in forward: return self.map(x.permute(0, 2, 1)), state" in result["detail"]


def test_an_import_that_is_refused_is_an_error_of_the_program(
    walled_host: Any, tmp_path: Path, make_trial: Any, plain_program: str
) -> None:
    make_trial(tmp_path, f"import sched\n{plain_program}", steps=2, kinds=("bytes",))
    assert walled_host.run("imports", tmp_path)["label"] is None
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["label"] == "import_error"
    assert "No module named 'sched'" in result["detail"]
    assert "mixer.py:1 in <module>: import sched" in result["detail"]


def test_without_landlock_reading_stays_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "landlock_abi", lambda: 0)
    assert not landlock.restrict_reading([])
    assert Path(__file__).read_text()


@pytest.mark.parametrize("tier", ["S0P", "none"])
def test_a_tier_without_a_wall_says_that_nothing_was_closed(tier: Any) -> None:
    assert not close_reading(WallKind(tier, None), [__file__])
    assert Path(__file__).read_text()

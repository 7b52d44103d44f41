"""What the process of the layers may read of what lies around it, at each tier that closes files."""

import json
from pathlib import Path
from typing import Any

import pytest

from asi_kernels.sandbox import landlock

_LOOKS = """
import ast, importlib, json, linecache, os, random, traceback
import safetensors, torch, torch.nn.utils.parametrizations

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

def look(when):
    print("looked " + json.dumps([when, {
        "request": word("request.json"), "mapped request": mapped("request.json"), "folder": word("."),
        "checkpoints": word("checkpoints"), "state": word("checkpoints/state.safetensors"),
        "text": word("TRAIN_BIN"), "mapped text": mapped("TRAIN_BIN"), "data folder": word("DATA_FOLDER"),
        "program": word("mixer.py"), "library": word(ast.__file__), "torch": word(torch.__file__),
        "package": word(safetensors.__file__), "processors": word("/proc/cpuinfo"), "null": word("/dev/null"),
        "random": word("/dev/urandom"), "module": importlib.import_module("colorsys").__name__,
        "source": linecache.getline(ast.__file__, 1) != "", "trainer": word(f"/proc/{os.getppid()}/cmdline"),
    }]), flush=True)

look("import")
"""
_CLOSED = ["request", "folder", "text", "data folder", "trainer"]
_MAPPED = ["mapped request", "mapped text"]
_OPEN = ["program", "library", "torch", "package", "processors", "random"]


def test_the_layers_read_their_program_and_python_and_nothing_that_the_trainer_has(
    walled_host: Any, tmp_path: Path, make_trial: Any, text_manifest: dict[str, Any], plain_program: str
) -> None:
    folder = text_manifest["folder"]
    looks = _LOOKS.replace("TRAIN_BIN", f"{folder}/train.bin").replace("DATA_FOLDER", folder)
    # Checkpoints are there by the last of its steps.
    program = (looks + plain_program).replace("return self.map(x)", "look('step'); return self.map(x)")
    make_trial(tmp_path, program, steps=8, kinds=("bytes",), checkpoint_every=2)
    assert walled_host.run("looks", tmp_path)["label"] is None
    result = json.loads((tmp_path / "result.json").read_text())
    assert (result["status"], result["label"]) == ("trained", None), result["detail"]
    assert (tmp_path / "checkpoints" / "state.safetensors").exists()
    lines = [line.removeprefix("looked ") for line in (tmp_path / "log.txt").read_text().splitlines()]
    looked = [json.loads(line) for line in lines if line.startswith("[")]
    assert looked[0][0] == "import"
    assert looked[-1][0] == "step"
    for when, found in looked:
        assert {found[name] for name in _CLOSED} == {"PermissionError"}, (when, found)
        assert {found[name] for name in _MAPPED} == {"refused"}, (when, found)
        assert {found[name] for name in _OPEN} == {"read"}, (when, found)
        assert (found["null"], found["module"], found["source"]) == ("empty", "colorsys", True)


def test_without_landlock_reading_stays_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "landlock_abi", lambda: 0)
    landlock.restrict_reading([], listed=[])
    assert Path(__file__).read_text()

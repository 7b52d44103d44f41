"""What is held out of the library is nothing that a training needs, and no path that Landlock opens shows it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from asi_kernels.held_out_library import HELD_OUT_MODULES, hidden_paths, is_held_out, library_folder
from asi_kernels.sandbox import plan
from asi_kernels.sandbox.plan import PACKAGE_FOLDER, runtime_paths, runtime_rights


def test_neither_torch_nor_this_package_imports_a_held_out_module() -> None:
    code = """
import json, sys
import torch, numpy, safetensors.torch, jsonschema
from asi_kernels.commands import load_command
import asi_kernels.host.serve
for command in ("train", "check", "answer"):
    load_command(command)
torch.optim.AdamW([torch.nn.Parameter(torch.zeros(2))])
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""
    environment = {"PYTHONPATH": PACKAGE_FOLDER, "PATH": os.environ["PATH"]}
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True, timeout=120
    )
    assert HELD_OUT_MODULES.isdisjoint(json.loads(result.stdout))


def test_sources_and_compiled_files_of_held_out_modules_are_hidden() -> None:
    library = library_folder()
    hidden = hidden_paths()
    for path in library.glob("*"):
        assert (str(path) in hidden) == is_held_out(path.relative_to(library)) or path.name.endswith("-packages")
    compiled = [Path(path).name for path in hidden if path.endswith(".pyc")]
    assert {name.split(".")[0] for name in compiled} <= HELD_OUT_MODULES
    assert len(hidden) > 20
    assert all(os.path.exists(path) for path in hidden)


def test_no_right_of_landlock_reaches_a_hidden_path() -> None:
    hidden = hidden_paths()
    rights = runtime_rights()
    for path in rights.readable:
        assert not os.path.islink(path)
        assert not any(
            other == path or other.startswith(path + "/") or path.startswith(other + "/") for other in hidden
        )
    # Everything else of the runtime is open still.
    opened = tuple(rights.readable)
    for needed in (library_folder() / "typing.py", Path(PACKAGE_FOLDER) / "asi_kernels" / "numerics.py"):
        assert any(str(needed).startswith(path) for path in opened)


def test_no_folder_of_other_software_is_shown_whole() -> None:
    assert {"/usr", "/usr/share", "/usr/local", "/"}.isdisjoint(runtime_paths())


def test_no_link_gives_a_right_to_a_whole_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """/lib leads to /usr/lib on most systems, where another Python may lie with all of its library."""
    needed, other = tmp_path / "usr" / "lib" / "needed", tmp_path / "usr" / "lib" / "python3"
    for folder in (needed, other):
        folder.mkdir(parents=True)
    (tmp_path / "lib").symlink_to("usr/lib")
    monkeypatch.setattr(plan, "runtime_paths", lambda: [str(tmp_path / "lib"), str(needed)])
    assert runtime_rights() == ([str(needed)], [])

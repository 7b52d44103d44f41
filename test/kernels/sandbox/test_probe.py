"""The tier that a host tells is what its canaries proved; without a wall they get through."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from asi_kernels.host import probe
from asi_kernels.host.job_process import HostWall
from asi_kernels.sandbox.plan import PACKAGE_FOLDER, plan_of
from asi_kernels.sandbox.wall import WallKind

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the walls are Linux's")


def test_behind_the_wall_of_this_machine_every_canary_runs_and_is_held(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "asi_kernels.host", "--probe", "--work", str(tmp_path)]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": PACKAGE_FOLDER}
    result = subprocess.run(
        command, cwd=PACKAGE_FOLDER, env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    facts = json.loads(result.stdout)
    if facts["bubblewrap"] is None:
        pytest.skip(f"this machine has no outer wall: {facts['missing']}")
    assert facts["tier"] in ("S2", "S1"), facts["missing"]
    assert [each for each in facts["canaries"] if not each["held"] and each["name"] != "memory-of-a-tree"] == []


def test_without_a_wall_the_canaries_get_through(tmp_path: Path) -> None:
    found = {each["name"]: each["held"] for each in probe._looks(HostWall(WallKind("none", None)), tmp_path)}
    through = {name for name, held in found.items() if not held}
    assert {"secret-files", "connections", "signals", "processes"} <= through


@pytest.mark.parametrize(
    ("built", "let_through", "tier"),
    [
        ("S2", [], "S2"),
        ("S2", ["memory-of-a-tree"], "S1"),
        ("S2", ["secret-files"], "none"),
        ("S1", ["memory-of-a-tree"], "S1"),
        ("S1", ["full-disk"], "none"),
        ("S0L", ["processes", "many-processes"], "S0L"),
        ("S0L", ["connections"], "none"),
        ("S0P", ["secret-files"], "S0P"),
        ("S0P", ["signals"], "none"),
    ],
)
def test_a_canary_that_gets_through_lowers_the_tier(built: str, let_through: list[str], tier: str) -> None:
    # The table holds plain strings; the type names the tiers one by one.
    assert probe._held_tier(built, let_through) == tier  # type: ignore[arg-type]


def test_a_job_sees_what_its_request_declares_and_nothing_else(tmp_path: Path) -> None:
    for name in ("request.json", "mixer.py", "reference.py", "train.bin", "heldout.bin", "c.safetensors"):
        (tmp_path / name).write_text("")
    request = {
        "programPath": str(tmp_path / "mixer.py"),
        "referencePath": str(tmp_path / "reference.py"),
        "checkpointPath": str(tmp_path / "c.safetensors"),
        "data": {"folder": str(tmp_path)},
    }
    seen = {
        command: [
            Path(path).name for path in plan_of(command, str(tmp_path / "request.json"), request, tmp_path).inputs
        ]
        for command in ("check", "train", "answer")
    }
    assert seen == {
        "check": ["request.json", "mixer.py", "reference.py"],
        "train": ["request.json", "mixer.py", "train.bin"],
        "answer": ["request.json", "mixer.py", "c.safetensors"],
    }

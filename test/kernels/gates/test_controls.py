"""The controls that every campaign sends through its gates: with the cuts of a finalist they end as they must."""

import re
from pathlib import Path

import pytest

import asi_kernels
from asi_kernels.gates.check import run

_FOLDER = Path(asi_kernels.__file__).parent / "controls"
_FINALIST_CUTS = 100


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("path", sorted(_FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_a_control_ends_as_its_head_says(
    path: Path, seed: int, tiny_rung: dict, deltanet_program: str, tmp_path: Path
) -> None:
    reference = tmp_path / "reference.py"
    reference.write_text(deltanet_program)
    request = {"programPath": str(path), "referencePath": str(reference), "rung": tiny_rung, "seed": seed}
    result = run({**request, "cuts": _FINALIST_CUTS, "flopsLimit": 4.0}, tmp_path)
    caught = re.search(r"^Caught by: ([\w-]+)\.$", path.read_text(), re.MULTILINE)
    fallen = [row["gate"] for row in result["gates"] if row["verdict"] == "fail"]
    if caught is None:
        assert (result["status"], fallen) == ("pass", []), result["detail"]
    else:
        assert result["label"] == "gate"
        assert caught[1] in fallen

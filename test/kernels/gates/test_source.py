"""What the check says to a file that is no program: one clear line each, with its label, and never a traceback."""

import codecs
import hashlib
from pathlib import Path

import pytest

from asi_kernels.gates.check import run
from asi_kernels.gates.source import decode, read_source
from asi_kernels.generate.baselines import baseline_genome
from asi_kernels.generate.emit import emit_program
from asi_kernels.programs import ProgramError, load_mixer_class

_MIXER = """
from torch import nn


class Mixer(nn.Module):
    def __init__(self, hidden_size, num_heads, layer_index=0, num_layers=1):
        super().__init__()

    def forward(self, x, state=None):
        return x, None
"""


def _check(program: Path, tmp_path: Path, tiny_rung: dict) -> dict:
    reference = tmp_path / "reference.py"
    reference.write_text(emit_program(baseline_genome("deltanet"), "deltanet", "reference"))
    request = {
        "programPath": str(program),
        "referencePath": str(reference),
        "rung": tiny_rung,
        "seed": 0,
        "cuts": 8,
        "flopsLimit": 4.0,
    }
    return run(request, tmp_path)


@pytest.mark.parametrize(
    ("content", "label", "words"),
    [
        (b"", "rejected_static", "mixer.py is empty; it must define `class Mixer(nn.Module)`"),
        (b" \n\n", "rejected_static", "mixer.py is empty"),
        (b"\x7fELF\xff\xfe" * 40, "compile_error", "mixer.py is not UTF-8 text"),
        (b"class Mixer:\n\x00 pass", "compile_error", "mixer.py has a NUL byte at 13; it must be UTF-8 text"),
        (b"def mixer(x):\n    return x\n", "rejected_static", "no class named Mixer at the top level"),
        (b"class Mixer\n    pass\n", "compile_error", "line 1: expected ':'"),
        (_MIXER.replace("from torch import nn", "import numpy").encode(), "rejected_static", "import of numpy"),
        (_MIXER.replace("from torch", "SCALE = 1 / 0\nfrom torch").encode(), "import_error", "ZeroDivisionError"),
        (
            _MIXER.replace("num_heads, ", "").encode(),
            "rejected_static",
            "does not fit __init__(self, hidden_size, num_",
        ),
        (
            _MIXER.replace("x, state=None)", "x, mask, gain)").encode(),
            "rejected_static",
            "does not fit forward(self, x",
        ),
        (b"(" * 5_000, "compile_error", "too many nested parentheses"),
    ],
)
def test_a_file_that_is_no_program_gets_one_line(
    content: bytes, label: str, words: str, tmp_path: Path, tiny_rung: dict
) -> None:
    program = tmp_path / "mixer.py"
    program.write_bytes(content)
    result = _check(program, tmp_path, tiny_rung)
    assert (result["status"], result["label"], result["sizes"]) == ("fail", label, None)
    assert words in result["detail"]
    assert "\n" not in result["detail"] and "Traceback" not in result["detail"]
    assert result["programHash"] == hashlib.sha256(content).hexdigest()


def test_a_byte_order_mark_is_allowed(tmp_path: Path) -> None:
    program = tmp_path / "mixer.py"
    program.write_bytes(codecs.BOM_UTF8 + _MIXER.encode())
    assert decode(read_source(program)) == _MIXER
    assert load_mixer_class(program).__name__ == "Mixer"
    program.write_bytes(2 * codecs.BOM_UTF8 + _MIXER.encode())
    with pytest.raises(ProgramError, match="does not parse at line 1"):
        load_mixer_class(program)


def test_a_file_of_fifty_megabytes_is_refused_by_its_size(tmp_path: Path, tiny_rung: dict) -> None:
    program = tmp_path / "mixer.py"
    with program.open("wb") as file:
        file.truncate(50_000_000)
    result = _check(program, tmp_path, tiny_rung)
    assert result["label"] == "rejected_static"
    assert result["detail"] == "contract: mixer.py has 50,000,000 bytes; a program may have 1,048,576"


def test_a_folder_is_refused_as_such(tmp_path: Path, tiny_rung: dict) -> None:
    program = tmp_path / "mixer.py"
    program.mkdir()
    result = _check(program, tmp_path, tiny_rung)
    assert result["label"] == "rejected_static"
    assert result["detail"] == "contract: mixer.py is a folder; it must be one Python file"


def test_outputs_of_a_wrong_shape_are_told_with_both_shapes(tmp_path: Path, tiny_rung: dict) -> None:
    program = tmp_path / "mixer.py"
    program.write_text(_MIXER.replace("return x, None", "return x[:, 1:], None"))
    result = _check(program, tmp_path, tiny_rung)
    assert result["label"] == "gate"
    assert result["detail"] == "shape: forward of [4, 80, 16] returned y [4, 79, 16]; both must be [B, T, hidden]"

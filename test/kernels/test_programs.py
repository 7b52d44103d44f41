"""Programs become mixer classes or errors with a label."""

from pathlib import Path

import pytest

from asi_kernels.programs import DETAIL_LIMIT, ProgramError, describe_error, load_mixer_class


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "mixer.py"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_program_with_a_mixer_is_loaded(tmp_path: Path, plain_program: str) -> None:
    assert load_mixer_class(write(tmp_path, plain_program)).__name__ == "Mixer"


def test_dataclasses_and_future_imports_work_in_a_program(tmp_path: Path) -> None:
    text = (
        "from __future__ import annotations\nfrom dataclasses import dataclass\nfrom torch import nn\n"
        "@dataclass\nclass Shape:\n    width: Undefined = 1\nclass Mixer(nn.Module):\n    shape = Shape()\n"
    )
    assert load_mixer_class(write(tmp_path, text)).shape.width == 1


@pytest.mark.parametrize(
    ("text", "label", "said"),
    [
        ("class Mixer(:\n", "compile_error", "line 1"),
        (b"x = '\xff'\n", "compile_error", "UTF-8"),
        (b"x = 1\0\n", "compile_error", "null"),
        ("(" * 5000 + ")" * 5000, "compile_error", "mixer.py"),
        ("import a_package_that_is_not_there\n", "import_error", "a_package_that_is_not_there"),
        ("\n\nraise SystemExit('no')\n", "import_error", "mixer.py:3"),
        ("\n\nraise KeyboardInterrupt\n", "import_error", "KeyboardInterrupt"),
        ("Mixer = 3\n", "rejected_static", "torch.nn.Module"),
        ("class Mixer: pass\n", "rejected_static", "torch.nn.Module"),
        ("class Other: pass\n", "rejected_static", "class Mixer"),
        ("#" * (1 << 20) + "\n", "rejected_static", "1,048,576"),
    ],
)
def test_a_program_without_a_mixer_gets_a_label_and_a_reason(
    tmp_path: Path, text: str | bytes, label: str, said: str
) -> None:
    with pytest.raises(ProgramError) as caught:
        load_mixer_class(write(tmp_path, text))
    assert caught.value.label == label
    assert said in caught.value.detail


def test_a_missing_file_is_not_blamed_on_the_program(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_mixer_class(tmp_path / "nothing.py")


def test_an_endless_message_is_cut_to_the_limit(tmp_path: Path) -> None:
    with pytest.raises(ProgramError) as caught:
        load_mixer_class(write(tmp_path, "raise ValueError('x' * 1_000_000)\n"))
    assert len(caught.value.detail) <= DETAIL_LIMIT
    assert "mixer.py:1" in describe_error(caught.value.__cause__)

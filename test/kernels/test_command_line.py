"""The command as it is started from outside: exit status, result, one line for a bad request, and no needless torch."""

import json
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "kernels"


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "asi_kernels", *map(str, arguments)], cwd=PACKAGE, capture_output=True, text=True
    )


def test_prepare_writes_a_result_and_ends_with_zero(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.mkdir()
    for index in range(120):
        (text / f"{index}.txt").write_text(f"text number {index} " * 20)
    request = {
        "source": {"kind": "folder", "path": str(text)},
        "cacheFolder": str(tmp_path / "cache"),
        "judgeFolder": str(tmp_path / "judge"),
        "minimumTrainBytes": 100,
        "minimumHeldOutBytes": 10,
    }
    (tmp_path / "r.json").write_text(json.dumps(request))
    ended = run("prepare", "--request", tmp_path / "r.json", "--workdir", tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert json.loads((tmp_path / "result.json").read_text())["manifest"]["trainFiles"] > 80


def test_a_bad_request_ends_with_two_and_one_line(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text('{"source": {"kind": "stdlib"}}')
    ended = run("prepare", "--request", tmp_path / "r.json", "--workdir", tmp_path)
    assert ended.returncode == 2
    assert ended.stderr == "prepare: cacheFolder is missing; it must be there\n"
    assert not (tmp_path / "result.json").exists()


def test_a_missing_work_folder_is_named(tmp_path: Path) -> None:
    ended = run("train", "--request", tmp_path / "r.json", "--workdir", tmp_path / "nothing")
    assert ended.returncode == 2
    assert "r.json" in ended.stderr or "nothing" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_importing_the_package_preparing_text_and_judging_need_no_torch() -> None:
    program = (
        "import sys, asi_kernels, asi_kernels.__main__, asi_kernels.requests, asi_kernels.data.prepare\n"
        "import asi_kernels.judge.serve\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=PACKAGE).returncode == 0

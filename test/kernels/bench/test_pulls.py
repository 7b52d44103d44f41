"""The bench of pulls: baselines are the measure, and stored weights that are multiplied stand out."""

from pathlib import Path

import pytest

from asi_kernels.bench import pulls

SCALED = """
import torch
from torch import nn


class Mixer(nn.Module):
    def __init__(self, hidden_size, num_heads, layer_index=0, num_layers=1):
        super().__init__()
        self.inner = nn.Linear(hidden_size, hidden_size, bias=False)
        with torch.no_grad():
            self.inner.weight.mul_(1 / TIMES)

    def forward(self, x, state=None):
        steps = torch.arange(1, x.shape[1] + 1).view(1, -1, 1)
        return TIMES * self.inner(x).cumsum(1) / steps, None
"""


def test_weights_that_are_used_times_a_constant_have_a_larger_pull(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = []
    for times in (1, 8):
        path = tmp_path / f"times{times}.py"
        path.write_text(SCALED.replace("TIMES", str(times)))
        files.append(str(path))
    assert pulls.main([*files, "--rung", "tiny", "--baselines", "deltanet", "retnet", "ssd"]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    shown = {line.split()[0]: float(line.split()[3]) for line in lines}
    assert list(shown) == ["deltanet", "retnet", "ssd", "times1", "times8"]
    assert shown["times8"] > 4 * shown["times1"]


def test_a_number_that_is_used_times_a_constant_pulls_hard_by_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = []
    for times in (1, 240):
        path = tmp_path / f"gate{times}.py"
        gated = SCALED.replace("TIMES", "1").replace(
            "        with torch.no_grad",
            f"        self.gate = nn.Parameter(torch.ones(()) / {times})\n        with torch.no_grad",
        )
        path.write_text(gated.replace("return 1 *", f"return {times} * self.gate *"))
        files.append(str(path))
    assert pulls.main([*files, "--rung", "tiny", "--baselines", "deltanet", "ssd"]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    of_one = {line.split()[0]: float(line.split()[4]) for line in lines}
    assert of_one["gate240"] > 10 * max(of_one["gate1"], of_one["ssd"], of_one["deltanet"])


def test_a_file_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        pulls.main(["no-such-file.py"])
    assert "no-such-file.py is no file" in capsys.readouterr().err

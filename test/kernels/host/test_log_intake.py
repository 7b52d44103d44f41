"""What is kept of a log: its beginning, its end, and how much is missing between them."""

from pathlib import Path

from asi_kernels.host.log_intake import LogIntake


def test_the_first_and_the_last_256_kib_are_kept_and_the_rest_is_counted(tmp_path: Path) -> None:
    log = LogIntake(tmp_path, 64 << 20)
    lines = [f"line {index:07}\n" for index in range(100_000)]
    for line in lines:
        log.feed(line.encode())
    tail = log.close()
    text = (tmp_path / "log.txt").read_text()
    assert text.startswith("".join(lines[:1000]))
    assert text.endswith("".join(lines[-1000:]))
    assert text.endswith(tail)
    assert 500_000 < len(text) < 530_000
    kept = len(text) - len("\n[ bytes are left out here]\n") - len("776,808")
    assert f"[{sum(map(len, lines)) - kept:,} bytes are left out here]" in text


def test_a_short_log_is_kept_whole_and_a_flood_is_told(tmp_path: Path) -> None:
    log = LogIntake(tmp_path, 100)
    log.feed(b"x" * 60 + b"\n")
    assert not log.is_over
    log.feed(b"y" * 60 + b"\n")
    assert log.is_over
    log.close()
    assert (tmp_path / "log.txt").read_text().endswith("[cut here: the limit of 100 bytes was passed]\n")

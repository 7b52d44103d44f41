"""Which rows the judge has sealed, kept by itself: a file an experiment in its folder, a line a scoring, append-only.

A row's seal tells that the row is genuine, and nothing of a row that was left out. This list does: whoever shows the
rows of an experiment must show a scoring of every trial and set that was ever scored. Covers rows that are removed or
added later. Does not cover a scoring that was asked for under another trial's name, nor what is removed from the
judge's folder by somebody with its rights.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any


class Issued:
    """`folder` is a descriptor of the judge's folder of lists, opened while it could be reached."""

    def __init__(self, folder: int) -> None:
        self._folder = folder

    def append(self, rows: list[dict[str, Any]]) -> None:
        """Enters the sealed rows of one scoring, on disk when this returns. Raises OSError."""
        trial_id, score_set = rows[0]["trialId"], rows[0]["set"]
        assert all((row["trialId"], row["set"]) == (trial_id, score_set) for row in rows), rows
        entry = {"trialId": trial_id, "set": score_set, "rows": len(rows), "digest": digest(rows)}
        # A line of its own even where a judge was killed in the middle of one.
        content = b"\n" + json.dumps(entry, sort_keys=True).encode() + b"\n"
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(_file_name(experiment_of(trial_id)), flags, 0o600, dir_fd=self._folder)
        try:
            written = os.write(descriptor, content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if written != len(content):
            raise OSError(f"{written} of {len(content)} bytes could be written to the list of {trial_id}")

    def scorings(self, experiment_id: str) -> list[dict[str, Any]]:
        """Every scoring of an experiment, by trial, set and digest; the same one twice is one. Empty for none."""
        try:
            descriptor = os.open(_file_name(experiment_id), os.O_RDONLY | os.O_NOFOLLOW, dir_fd=self._folder)
        except FileNotFoundError:
            return []
        with open(descriptor, "rb") as file:
            lines = {line for line in file.read().split(b"\n") if line}
        # What a killed judge left of a line was never told to anybody.
        entries = [entry for entry in map(_entry, lines) if entry is not None]
        return sorted(entries, key=lambda entry: (entry["trialId"], entry["set"], entry["digest"]))


def digest(rows: list[dict[str, Any]]) -> str:
    """SHA-256 over metric and seal of the rows of one scoring, by metric."""
    lines = sorted(f"{row['metric']} {row['seal']}" for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def experiment_of(trial_id: str) -> str:
    """The experiment of `c-name/e0007/quick/s1`: its first two parts."""
    return "/".join(trial_id.split("/")[:2])


def _file_name(experiment_id: str) -> str:
    campaign, number = experiment_id.split("/")  # the schemas of requests allow no other form
    return f"{campaign}~{number}.jsonl"


def _entry(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and entry.keys() == {"trialId", "set", "rows", "digest"} else None

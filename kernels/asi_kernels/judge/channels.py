"""The pipes between the judge and the processes that answer it: two pairs of FIFOs a scoring, made by the judge.

A process that may not list the folder cannot find them: their folder has a random name. The judge opens its own ends as
it makes them, so that nothing waits for the other side.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from pathlib import Path

from .home import give_to_judge

_PAIRS = ("prefixes", "sequences")
_ENDS = ("questions", "answers")


class Channels:
    """Open channels by the id of their scoring, below one folder that is the judge's."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        give_to_judge(folder)
        # Whoever is to open a FIFO must pass, and nobody may look around.
        os.chmod(folder, 0o711)
        _remove_left_over(folder)
        self._folder = folder.absolute()
        self._descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        self._open: dict[str, tuple[str, tuple[int, int, int, int]]] = {}

    def make(self, score_id: str) -> dict[str, dict[str, str]]:
        """Paths of fresh FIFOs: prefixes and sequences, each with questions and answers."""
        self.remove(score_id)
        name = f"{os.getpid()}-{secrets.token_hex(16)}"
        os.mkdir(name, 0o711, dir_fd=self._descriptor)
        os.chmod(name, 0o711, dir_fd=self._descriptor)
        ends: list[int] = []
        for pair in _PAIRS:
            for end in _ENDS:
                fifo = f"{name}/{pair}-{end}"
                os.mkfifo(fifo, 0o600, dir_fd=self._descriptor)
                # The host that opens the other end may run under a user id of its own.
                os.chmod(fifo, 0o666, dir_fd=self._descriptor)
                # Questions are opened for both ways, since opening for writing alone fails before a reader is there;
                # answers for reading alone, so that their end is seen.
                flags = os.O_RDWR if end == "questions" else os.O_RDONLY
                ends.append(os.open(fifo, flags | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=self._descriptor))
        self._open[score_id] = (name, (ends[0], ends[1], ends[2], ends[3]))
        return {pair: {end: str(self._folder / name / f"{pair}-{end}") for end in _ENDS} for pair in _PAIRS}

    def ends(self, score_id: str) -> tuple[int, int, int, int] | None:
        """Descriptors: questions and answers of the prefixes, questions and answers of the sequences."""
        found = self._open.get(score_id)
        return None if found is None else found[1]

    def remove(self, score_id: str) -> None:
        """Closes and removes the channels of a scoring, if there are any."""
        found = self._open.pop(score_id, None)
        if found is None:
            return
        name, ends = found
        for descriptor in ends:
            os.close(descriptor)
        for pair in _PAIRS:
            for end in _ENDS:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(f"{name}/{pair}-{end}", dir_fd=self._descriptor)
        with contextlib.suppress(FileNotFoundError):
            os.rmdir(name, dir_fd=self._descriptor)

    def close(self) -> None:
        for score_id in list(self._open):
            self.remove(score_id)


def _remove_left_over(folder: Path) -> None:
    """Removes what judges left that are gone; a living one's stays."""
    for entry in os.scandir(folder):
        owner = entry.name.split("-")[0]
        if not owner.isdigit() or not _is_alive(int(owner)):
            shutil.rmtree(entry.path, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

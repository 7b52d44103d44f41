"""The two FIFOs between a job and the judge, as the host holds them."""

from __future__ import annotations

import errno
import os
import stat


class Channel:
    """Open ends of both FIFOs. Raises OSError when a path is missing or no FIFO.

    Opened for both ways, so that opening never waits for the other side.
    """

    def __init__(self, questions: str, answers: str) -> None:
        opened: list[int] = []
        try:
            for path in (questions, answers):
                opened.append(_open_fifo(path))
        except OSError:
            for descriptor in opened:
                os.close(descriptor)
            raise
        self.descriptors = (opened[0], opened[1])
        """Questions (the job reads), answers (the job writes)."""

    def close(self) -> None:
        """To be called once the child is dead: the judge then sees end-of-file on the answers."""
        for descriptor in self.descriptors:
            os.close(descriptor)


def _open_fifo(path: str) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, f"channel is {path!r}, which is no FIFO; make it by mkfifo first")
    os.set_blocking(descriptor, True)
    return descriptor

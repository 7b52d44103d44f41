"""The log of a job: what it prints, bounded, and with everything removed that could act on a terminal or a reader."""

from __future__ import annotations

import codecs
import os
import re
import shutil
from collections import deque
from pathlib import Path

LOG_NAME = "log.txt"
TAIL_CHARACTERS = 4000
_HEAD_BYTES = 256 << 10
_END_BYTES = 256 << 10
_LONGEST_LINE_CHARACTERS = 4096

# Terminal sequences (CSI, OSC and the like, two-byte escapes), then single characters: controls but tab and newline,
# zero-width, direction overrides, interlinear marks, the byte order mark and Unicode tags.
_SEQUENCES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_].*?(?:\x1b\\|\x07|$)|\x1b[ -~]?|\x9b[0-?]*[ -/]*[@-~]")
_CHARACTERS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)


def clean(text: str) -> str:
    """`text` without control sequences, invisible characters and direction overrides. Carriage returns end a line."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CHARACTERS.sub("", _SEQUENCES.sub("", text))


class LogIntake:
    """Keeps the first and the last 256 KiB of what a job prints, cleaned, in log.txt of its folder.

    Past `limit_bytes` it is a flood: counted and dropped. A disk that takes no more costs the rest of the file, never
    the host.
    """

    def __init__(self, workdir: Path, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._num_bytes = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._line = ""
        self._tail = ""
        self._num_written = 0
        self._num_left_out = 0
        # Lines past the head, the last of them up to _END_BYTES; the sum of their sizes beside them.
        self._end: deque[bytes] = deque()
        self._num_end_bytes = 0
        self._file = _fresh_file(workdir / LOG_NAME)
        self._writable = True

    @property
    def is_over(self) -> bool:
        return self._num_bytes > self._limit_bytes

    def feed(self, data: bytes) -> None:
        """Takes what was read; past the limit it is counted and dropped."""
        kept = data[: max(0, self._limit_bytes - self._num_bytes)]
        self._num_bytes += len(data)
        self._take(self._decoder.decode(kept))

    def close(self) -> str:
        """Writes what is left and returns the last characters of the log."""
        self._take(self._decoder.decode(b"", final=True))
        if self._line:
            self._write(self._line)
        self._line = ""
        if self._num_left_out > 0:
            self._put(f"\n[{self._num_left_out:,} bytes are left out here]\n".encode())
        for content in self._end:
            self._put(content)
        if self.is_over:
            self._put(f"\n[cut here: the limit of {self._limit_bytes:,} bytes was passed]\n".encode())
        os.close(self._file)
        return self._tail

    def _take(self, text: str) -> None:
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            self._write(line + "\n")
        # A line without an end is written in pieces; a long one is cut to a bounded width.
        while len(self._line) > _LONGEST_LINE_CHARACTERS:
            self._write(self._line[:_LONGEST_LINE_CHARACTERS] + "\n")
            self._line = self._line[_LONGEST_LINE_CHARACTERS:]

    def _write(self, text: str) -> None:
        cleaned = clean(text)
        self._tail = (self._tail + cleaned)[-TAIL_CHARACTERS:]
        content = cleaned.encode("utf-8", errors="replace")
        if self._num_written + len(content) <= _HEAD_BYTES and not self._end:
            self._put(content)
            return
        self._end.append(content)
        self._num_end_bytes += len(content)
        while self._num_end_bytes > _END_BYTES:
            left_out = len(self._end.popleft())
            self._num_end_bytes -= left_out
            self._num_left_out += left_out

    def _put(self, content: bytes) -> None:
        self._num_written += len(content)
        try:
            while content and self._writable:
                content = content[os.write(self._file, content) :]
        except OSError:
            self._writable = False


def _fresh_file(path: Path) -> int:
    """A new file of that name: what an earlier attempt left there may be a link or a pipe and is never opened."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)

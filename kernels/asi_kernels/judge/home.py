"""The judge's folder: key, held-out texts and the lists of what was sealed. Nothing else has a reason to read it.

`key` are 32 random bytes, made once; `data/<hash>/{search,promotion,champion}.bin` are written by `prepare`;
`issued/<experiment>.jsonl` by the judge, a line a scoring. Where the
system was started by root, folder and judge belong to a user id of their own; elsewhere the folder is the user's,
closed to others, and only a sandbox keeps candidate code out of it.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

JUDGE_UID = 64900
KEY_NAME = "key"
DATA_NAME = "data"
ISSUED_NAME = "issued"
_KEY_BYTES = 32


class JudgeHomeError(Exception):
    """The judge's folder cannot be used as it is. The message says what would mend it."""


def open_home(home: Path) -> tuple[bytes, int, int]:
    """The key, and descriptors of the folder and of `issued` in it; what is not there is made.

    Raises JudgeHomeError where that cannot be.
    """
    try:
        for folder in (home, home / DATA_NAME, home / ISSUED_NAME):
            make_folder(folder)
        key = read_or_make_key(home)
        return key, *(os.open(folder, os.O_RDONLY | os.O_DIRECTORY) for folder in (home, home / ISSUED_NAME))
    except OSError as error:
        raise JudgeHomeError(
            f"{error.filename or home} cannot be used ({error.strerror}); it must be the judge's folder, or the key "
            "in it, and the user who starts the system must be able to read and write it"
        ) from error


def make_folder(path: Path) -> None:
    """Makes a folder of the judge's, closed to others, and gives it to the judge. Parents are made as usual."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)
    give_to_judge(path)


def give_to_judge(path: Path) -> None:
    """Hands a file or folder to the judge's user id, where this process may."""
    if os.geteuid() == 0:
        os.chown(path, JUDGE_UID, JUDGE_UID, follow_symlinks=False)


def read_or_make_key(home: Path) -> bytes:
    """The judge's key; of several judges that start at once, one makes it and all read that one.

    Raises JudgeHomeError for a key that is damaged.
    """
    path = home / KEY_NAME
    if not path.exists():
        beside = home / f".{KEY_NAME}.{os.getpid()}"
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        give_to_judge(beside)
        try:
            os.link(beside, path)
        except FileExistsError:
            pass
        finally:
            os.unlink(beside)
    key = path.read_bytes()
    if len(key) != _KEY_BYTES:
        raise JudgeHomeError(f"{path} has {len(key)} bytes; the judge's key has {_KEY_BYTES}. Restore it from a backup")
    return key

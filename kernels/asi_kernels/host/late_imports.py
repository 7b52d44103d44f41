"""Ends imports from files in a process whose files are closed.

Python would go on to look for modules in folders that it can no longer read, and end in an error of the file system
somewhere inside of it. From here on a module that is not loaded is one that does not exist: an ordinary
ModuleNotFoundError of whoever wants it. The log has its name once, so that a module that an honest program needed can
be found there and loaded by the host early (warm_up.py).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import BuiltinImporter, FrozenImporter
from types import ModuleType

REFUSAL = "not loaded, and no file is read for it now: module "


def close_imports() -> None:
    """For good, in this process. What is loaded, built in or frozen into the interpreter can still be imported."""
    sys.meta_path[:] = [BuiltinImporter, FrozenImporter, _Nothing()]


class _Nothing(MetaPathFinder):
    """Finds no module, and writes down which was wanted."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        del path, target
        if fullname not in self._told:
            self._told.add(fullname)
            print(f"{REFUSAL}{fullname}", file=sys.stderr, flush=True)

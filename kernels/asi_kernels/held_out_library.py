"""The part of the standard library that is held out, and what hides it from candidate code.

A default campaign learns to predict Python's own library, which lies on every machine. What is scored must not lie
readable beside the program that is scored. So the held-out texts are modules that neither the start of Python nor
torch nor this package imports, and a wall leaves out those very files: their sources, what was compiled from them, and
every other copy of the library below the usual folders.

Holds where the sandbox shows a file tree of its own or closes paths (S2, S1, S0L). Elsewhere nothing can hide a file
from a process of the same user.
"""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

HELD_OUT_MODULES = frozenset(
    {
        *("_pydecimal", "_pyio", "aifc", "asyncore", "cgi", "compileall", "curses", "dbm", "doctest", "fileinput"),
        *("ftplib", "idlelib", "imaplib", "mailbox", "modulefinder", "nntplib", "poplib", "pydoc", "smtpd"),
        *("smtplib", "sunau", "telnetlib", "tkinter", "trace", "turtle", "turtledemo", "venv", "wave", "webbrowser"),
        *("wsgiref", "xmlrpc"),
    }
)
"""Top-level names, of all supported versions of Python together; a version or a distribution has most of them.

Left out on purpose: modules of which a package that a program can read carries a copy or a near copy (distutils,
lib2to3, optparse, tomllib), tables (encodings, pydoc_data), and small ones: each file that is hidden is one more mount.
"""
_OTHER_LIBRARIES = ("python3*", "../pkgs/*/lib/python3*", "../envs/*/lib/python3*")
"""Where other versions lie beside the interpreter's own library; pkgs and envs are conda's."""


def library_folder() -> Path:
    """Where the interpreter has its library. Links are resolved."""
    return Path(sysconfig.get_path("stdlib")).resolve()


def is_held_out(path: Path) -> bool:
    """Whether a source file, its path relative to the library's folder, belongs to a held-out module."""
    return path.parts[0].removesuffix(".py") in HELD_OUT_MODULES


def hidden_paths() -> list[str]:
    """Absolute files and folders that no candidate may read, each of them there now, none below another."""
    library = library_folder()
    sources = [library / name for module in HELD_OUT_MODULES for name in (module, f"{module}.py")]
    compiled = [
        path
        for path in (library / "__pycache__").glob("*.pyc")
        # name.cpython-311.pyc, name.cpython-311.opt-1.pyc
        if path.name.split(".")[0] in HELD_OUT_MODULES
    ]
    found = {str(path) for path in (*sources, *compiled) if path.exists()}
    return sorted({*found, *_copies(library), *_packages_of_others(library)})


def _copies(library: Path) -> set[str]:
    """Libraries of other interpreters beside this one, whose texts are nearly the same."""
    found = {path.resolve() for pattern in _OTHER_LIBRARIES for path in library.parent.glob(pattern)}
    return {str(path) for path in found if path != library and (path / "os.py").is_file()}


def _packages_of_others(library: Path) -> set[str]:
    """Packages beside the library, where this interpreter has its own elsewhere: stubs of the library lie there."""
    folders = (library / "site-packages", library / "dist-packages", library.parent / "python3" / "dist-packages")
    return set() if sys.prefix == sys.base_prefix else {str(folder) for folder in folders if folder.is_dir()}

"""What the host loads before it forks its first job.

Imports are shared by all children and cost a job nothing. And where a wall closes files, a process reads no module any
more once the code of a candidate runs in it (sandbox/wall.py), so whatever PyTorch and Python import in the middle of a
computation must be loaded here, or an honest program would end by it.

Does not cover what no mixer comes to: compilers, distributed training, profilers, saving and loading.
"""

from __future__ import annotations

import gc
import importlib
import linecache

from asi_kernels.commands import COMMANDS, load_command
from asi_kernels.data.streams import stream
from asi_kernels.requests import schema_problem

LATE_IMPORTS = (
    # Of PyTorch, by functions that mixers may call: the first two by every backward pass that is given a gradient.
    *("sympy", "torch.fx.experimental.symbolic_shapes", "torch.autograd._functions", "torch.utils._device"),
    *("torch._functorch.config", "torch._subclasses.schema_check_mode", "torch.cuda.amp"),
    *("torch.nn.modules.linear_cross_entropy", "torch.nn.utils.parametrizations", "torch.profiler._cupti_monitor"),
    # Of Python: a warning that is printed, and codecs, each a module of its own.
    "tracemalloc",
    *(f"encodings.{name}" for name in ("ascii", "idna", "latin_1", "punycode", "raw_unicode_escape")),
    *(f"encodings.{name}" for name in ("unicode_escape", "utf_16", "utf_16_be", "utf_16_le", "utf_32", "utf_32_be")),
    *(f"encodings.{name}" for name in ("utf_32_le", "utf_7", "utf_8", "utf_8_sig")),
)
"""Modules that are imported by a function at its first call. One that this version does not have is passed over."""


def warm_up() -> str:
    """Imports what every command needs, and what it would import later. Returns torch's version."""
    import torch

    torch.set_num_threads(1)
    for command in COMMANDS:
        load_command(command)
    _import_early()
    stream(0, "bytes", "train")  # numpy loads its generators on first use
    for command in COMMANDS:
        schema_problem(f"{command}-request", {})
        schema_problem(f"{command}-result", {})
    schema_problem("host-request", {})
    schema_problem("train-progress", {})
    # Sources that were read while torch was imported: no candidate is to find them in its memory.
    linecache.clearcache()
    # Objects alive now stay: collections in children would only copy their pages.
    gc.collect()
    gc.freeze()
    return str(torch.__version__)


def _import_early() -> None:
    for name in LATE_IMPORTS:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            # A part of the name itself is what an older version lacks; anything else is a broken installation.
            if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise

"""Closes TorchScript in a process that is about to import a candidate's program.

TorchScript is a language of its own inside PyTorch: a text, or a graph built call by call, runs any operator that is
registered, one that opens files by name and one that seeds the generator among them. The review of a program reads
Python and none of that, and no mixer has a use for it. So in the processes that hold candidate code, whatever compiles,
parses, traces, loads or interprets TorchScript raises here. What was compiled as torch was imported still runs, and so
do the questions that torch's own modules ask (is_scripting, is_tracing).

Does not cover: operators called from Python by their names (torch.ops), torch.from_file and storages, which the review
refuses, ctypes, or code that finds its way around the interpreter: it is a second door behind the review and no wall.
"""

from __future__ import annotations

from typing import Any, NoReturn

# Of torch._C, and of torch where it repeats them.
_FUNCTIONS = (
    *("parse_ir", "import_ir_module", "import_ir_module_from_buffer", "_import_ir_module_from_package"),
    *("_create_function_from_graph", "_create_function_from_trace", "_create_function_from_trace_with_dict"),
    *("_create_graph_by_tracing", "_jit_interpret_graph", "_jit_trace_graph", "_jit_trace_module"),
    *("_jit_script_compile", "_jit_script_compile_overload"),
    *("_jit_script_class_compile", "_jit_script_interface_compile"),
    *("_jit_to_backend", "_jit_to_backend_selective", "_jit_to_static_module"),
    *("_load_for_lite_interpreter", "_load_for_lite_interpreter_from_buffer"),
    *("_load_jit_module_from_bytes", "_load_jit_module_from_file"),
)
# The classes stay, since torch asks of values whether they are of one; torch has an instance of the first for itself.
_METHODS = {
    "CompilationUnit": ("__init__", "create_function", "define"),
    "Graph": ("__init__", "copy", "create", "createClone", "insert"),
    "ScriptModule": ("_create_method_from_trace", "_create_method_from_trace_with_dict", "_define"),
}


class TorchScriptClosed(RuntimeError):
    """What is raised in place of anything that TorchScript would do."""


def close_torchscript() -> None:
    """For good, in this process and those forked from it. A name that this version of PyTorch lacks is passed over."""
    import torch

    for name in _FUNCTIONS:
        for holder in (torch._C, torch):
            if hasattr(holder, name):
                setattr(holder, name, _refuse)
    for class_name, methods in _METHODS.items():
        kind = getattr(torch._C, class_name, None)
        for method in methods:
            if hasattr(kind, method):
                setattr(kind, method, _refuse)


def _refuse(*arguments: Any, **named: Any) -> NoReturn:
    del arguments, named
    raise TorchScriptClosed(
        "TorchScript is closed to mixers; write the operation in Python, as in torch.matmul(x, self.weight)"
    )

"""Review of the program text before any of it runs.

Covers what a text shows: that it parses, that it has a class `Mixer`, and that every *name* it uses is one a mixer
needs. Imports are limited to torch, math, typing, dataclasses, functools and __future__; dotted names that begin at
an import are followed through the real modules, so that `torch.os.system` is refused as surely as `import os`.

Does not cover: methods of values beyond a list of names (the text does not tell their types), strings assembled at run
time, functions with a parameter called self that are given something else, or anything a program computes. It is a
signal for authors and a first sieve, not a security boundary; the sandbox around it is.
"""

from __future__ import annotations

import ast
import importlib
from types import ModuleType

_ALLOWED_MODULES = frozenset(
    {
        "__future__",
        "dataclasses",
        "functools",
        "math",
        "torch",
        "torch.amp",
        "torch.autograd",
        "torch.autograd.function",
        "torch.cuda.amp",
        "torch.fft",
        "torch.linalg",
        "torch.nn",
        "torch.nn.functional",
        "torch.nn.init",
        "torch.nn.modules",
        "torch.nn.parameter",
        "torch.nn.utils",
        "torch.nn.utils.parametrizations",
        "torch.special",
        "torch.utils.checkpoint",
        "typing",
    }
)
_ALLOWED_WORDS = "torch, math, typing, dataclasses, functools, __future__"
# Functions of allowed modules that reach files, global settings or the random state that the trainer owns.
_REFUSED_FUNCTIONS = frozenset(
    {
        "torch.compile",
        "torch.from_file",
        "torch.get_rng_state",
        "torch.load",
        "torch.manual_seed",
        "torch.save",
        "torch.seed",
        "torch.initial_seed",
        "torch.autograd.set_grad_enabled",
        "torch.autograd.set_detect_anomaly",
        "torch.autograd.set_multithreading_enabled",
        # These evaluate annotations, which may be texts: a way to run what the review has not read.
        "functools.singledispatch",
        "functools.singledispatchmethod",
        "typing.ForwardRef",
        "typing.get_type_hints",
    }
)
# A storage opens files by name, whatever its type.
_REFUSED_ENDING = "Storage"
# Names of attributes that reach files, shared memory, the frames of callers, or, by the graph behind an input, the
# weights of the model around the mixer, from a value of any type.
_REFUSED_ATTRIBUTES = frozenset(
    {
        *("ag_frame", "cr_frame", "f_back", "f_builtins", "f_globals", "f_locals", "gi_frame", "tb_frame", "tb_next"),
        *("_new_shared", "_set_from_file", "_share_filename_cpu_", "_write_file", "from_buffer", "from_file"),
        *("grad_fn", "next_functions", "variable"),
        *("mro", "numpy", "share_memory_", "storage", "tofile", "untyped_storage"),
    }
)
_REFUSED_PREFIXES = ("torch.set_", "torch.use_", "torch._", "functools._", "typing._")
_REFUSED_BUILTINS = frozenset(
    {
        "__builtins__",
        "__import__",
        "__loader__",
        "__spec__",
        "breakpoint",
        "compile",
        "delattr",
        "eval",
        "exec",
        "exit",
        "globals",
        "input",
        "locals",
        "open",
        "quit",
        "vars",
    }
)
_ALLOWED_DUNDERS = frozenset({"__init__", "__name__", "__doc__", "__post_init__", "__call__", "__setattr__"})
_LARGEST_PROGRAM_CHARACTERS = 200_000
# Trained weights can be brought along in the text; texts and tables of a mixer are short.
_LARGEST_LITERAL_CHARACTERS = 2_000
_LARGEST_TABLE_ENTRIES = 512


class ReviewError(Exception):
    """The text is refused. `label` is compile_error or rejected_static; the message names line, finding and remedy."""

    def __init__(self, label: str, message: str) -> None:
        super().__init__(message)
        self.label = label


def review(source: str) -> ast.Module:
    """Parses and reviews a program text. Returns its syntax tree. Raises ReviewError with every finding."""
    if len(source) > _LARGEST_PROGRAM_CHARACTERS:
        raise ReviewError(
            "rejected_static",
            f"the program has {len(source):,} characters; at most {_LARGEST_PROGRAM_CHARACTERS:,} are read",
        )
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise ReviewError("compile_error", f"line {error.lineno}: {error.msg}") from error
    except (ValueError, RecursionError, MemoryError) as error:  # null bytes, nesting past the parser's depth
        raise ReviewError("compile_error", f"the program cannot be parsed: {error}") from error
    findings = _missing_class(tree)
    reviewer = _Reviewer()
    try:
        reviewer.visit(tree)
    except RecursionError as error:
        raise ReviewError("rejected_static", "the program nests expressions too deeply to be reviewed") from error
    findings += reviewer.findings
    if findings:
        raise ReviewError("rejected_static", "; ".join(dict.fromkeys(findings)))
    return tree


def integer_constants(tree: ast.AST) -> tuple[int, ...]:
    """Integers of the text in ascending order: a branch on the sequence length has its threshold among them."""
    found = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and type(node.value) is int}
    return tuple(sorted(found))


def _missing_class(tree: ast.Module) -> list[str]:
    if any(isinstance(node, ast.ClassDef) and node.name == "Mixer" for node in tree.body):
        return []
    classes = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    seen = f"found {', '.join(classes)}" if classes else "found no class"
    return [f"no class named Mixer at the top level ({seen}); it must be `class Mixer(nn.Module)`"]


class _Reviewer(ast.NodeVisitor):
    """Collects findings. `_aliases` maps a local name to the dotted name that it stands for."""

    def __init__(self) -> None:
        self.findings: list[str] = []
        self._aliases: dict[str, str] = {}

    def _find(self, node: ast.AST, message: str) -> None:
        self.findings.append(f"line {getattr(node, 'lineno', '?')}: {message}")

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.name not in _ALLOWED_MODULES:
                self._find(node, f"import of {alias.name}; a mixer may import {_ALLOWED_WORDS}")
            local = alias.asname or alias.name.split(".")[0]
            self._aliases[local] = alias.name if alias.asname else local

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        if node.level or module not in _ALLOWED_MODULES:
            self._find(node, f"import from {'.' * node.level}{module}; a mixer may import {_ALLOWED_WORDS}")
            return
        for alias in node.names:
            if alias.name == "*":
                self._find(node, f"star import from {module}; name what is used")
                continue
            dotted = f"{module}.{alias.name}"
            self._check_dotted(node, dotted)
            self._aliases[alias.asname or alias.name] = dotted

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self._check_target(target)
        dotted = self._dotted(node.value)
        if dotted and _module_at(dotted) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            self._check_dotted(node, dotted)
            self._aliases[node.targets[0].id] = dotted  # F = torch.nn.functional
            return
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self._check_target(node.target)
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._check_target(node.target)
        self.generic_visit(node)

    def visit_Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            self._check_target(target)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, (str, bytes)) and len(node.value) > _LARGEST_LITERAL_CHARACTERS:
            self._find(
                node,
                f"a literal of {len(node.value):,} characters; at most {_LARGEST_LITERAL_CHARACTERS:,} are allowed",
            )
        if isinstance(node.value, int) and node.value.bit_length() > 64:
            self._find(node, f"an integer of {node.value.bit_length():,} bits; at most 64 are allowed")

    def visit_List(self, node: ast.List) -> None:
        self._check_table(node)

    def visit_Tuple(self, node: ast.Tuple) -> None:
        self._check_table(node)

    def visit_Set(self, node: ast.Set) -> None:
        self._check_table(node)

    def visit_Dict(self, node: ast.Dict) -> None:
        self._check_table(node)

    def _check_table(self, node: ast.List | ast.Tuple | ast.Set | ast.Dict) -> None:
        size = sum(1 for inner in ast.walk(node) if isinstance(inner, ast.Constant))
        if size > _LARGEST_TABLE_ENTRIES:
            self._find(node, f"a table of {size:,} entries; at most {_LARGEST_TABLE_ENTRIES:,} are allowed")
            return
        self.generic_visit(node)

    def visit_Global(self, node: ast.Global) -> None:
        self._find(node, f"global {', '.join(node.names)}; a mixer keeps nothing between calls outside itself")

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name) and node.func.id in ("getattr", "setattr", "hasattr"):
            self._check_attribute_call(node, node.func.id)
            for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
                self.visit(argument)
            return
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if node.attr.startswith("__") and node.attr.endswith("__") and node.attr not in _ALLOWED_DUNDERS:
            self._find(node, f"attribute {node.attr}; a mixer has no use for the interpreter's internals")
        if node.attr in _REFUSED_ATTRIBUTES:
            self._find(node, f"attribute {node.attr}; files, shared memory and callers are out of a mixer's reach")
        dotted = self._dotted(node)
        if dotted is None:
            self.generic_visit(node)
            return
        if _module_at(dotted):
            self._find(node, f"module {dotted} used as a value; name the function that is needed")
        self._check_dotted(node, dotted)

    def visit_Name(self, node: ast.Name) -> None:
        if node.id in _REFUSED_BUILTINS:
            self._find(node, f"use of {node.id}; a mixer computes on tensors and reaches nothing else")
        elif node.id in ("getattr", "setattr"):
            self._find(node, f"{node.id} used as a value; call it with a constant name or on self")
        dotted = self._aliases.get(node.id)
        if dotted and isinstance(node.ctx, ast.Load) and _module_at(dotted):
            self._find(node, f"module {dotted} used as a value; name the function that is needed")

    def _check_attribute_call(self, node: ast.Call, function: str) -> None:
        on_self = bool(node.args) and isinstance(node.args[0], ast.Name) and node.args[0].id == "self"
        name = node.args[1] if len(node.args) > 1 else None
        constant = isinstance(name, ast.Constant) and isinstance(name.value, str)
        if constant and (name.value.startswith("__") or name.value in _REFUSED_ATTRIBUTES):
            self._find(node, f"{function} of {name.value}; a mixer has no use for the interpreter's internals")
        if not on_self and (function == "setattr" or not constant):
            self._find(
                node, f"{function} with a computed name or a foreign target; use it on self, or write the attribute out"
            )

    def _check_target(self, target: ast.AST) -> None:
        """Assigning through an imported name would patch a library for everyone in the process."""
        if isinstance(target, (ast.Tuple, ast.List)):
            for element in target.elts:
                self._check_target(element)
            return
        if isinstance(target, ast.Name) and target.id == "self":
            self._find(target, "assignment to self; a computed attribute name is allowed on the module alone")
        base: ast.AST = target
        while isinstance(base, (ast.Attribute, ast.Subscript, ast.Starred)):
            base = base.value
        if base is not target and isinstance(base, ast.Name) and base.id in self._aliases:
            self._find(target, f"assignment through the imported name {base.id}; libraries must stay as they are")

    def _dotted(self, node: ast.AST) -> str | None:
        """Dotted name of an attribute chain that begins at an imported name, or None."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id not in self._aliases:
            return None
        return ".".join([self._aliases[node.id], *reversed(parts)])

    def _check_dotted(self, node: ast.AST, dotted: str) -> None:
        module = _deepest_module(dotted)
        if module is not None and module not in _ALLOWED_MODULES:
            self._find(node, f"{dotted} reaches module {module}; a mixer may use {_ALLOWED_WORDS}")
        if (
            dotted in _REFUSED_FUNCTIONS
            or dotted.startswith(_REFUSED_PREFIXES)
            or any(part.endswith(_REFUSED_ENDING) for part in dotted.split("."))
        ):
            self._find(node, f"use of {dotted}; files, global settings and random state belong to the trainer")


def _module_at(dotted: str) -> bool:
    return _deepest_module(dotted, whole=True) is not None


def _deepest_module(dotted: str, whole: bool = False) -> str | None:
    """Name of the last real module on the way along `dotted`; with `whole`, only if the way ends in one."""
    first, *rest = dotted.split(".")
    if first not in _ALLOWED_MODULES:
        return None  # the import itself was refused already; nothing is loaded to look further
    value: object = importlib.import_module(first)
    deepest = value
    for part in rest:
        value = getattr(value, part, None)
        if isinstance(value, ModuleType):
            deepest = value
    if whole and value is not deepest:
        return None
    return deepest.__name__ if isinstance(deepest, ModuleType) else None

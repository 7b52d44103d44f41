"""Review of the program text before any of it runs.

Covers what a text shows: that it parses, that it has a class `Mixer`, and that every *name* it uses is one a mixer
needs. Imports are limited to torch, math, typing, dataclasses, functools and __future__; dotted names that begin at
an import are followed through the real modules, so that `torch.os.system` is refused as surely as `import os`. Of each
module the names that a mixer may use are listed (`library_names`), since PyTorch has many doors under many names.

Of attributes those are let through that tensors, modules and plain values have, and the program's own
(`known_attributes`); one whose name is computed, only where the text shows how the name begins (`attribute_names`).

Does not cover: what the attribute of a value is (the text does not tell its type), or anything a program computes. It
is a signal for authors and a first sieve, not a security boundary; the sandbox around it is.
"""

from __future__ import annotations

import ast
import importlib
from string import Formatter
from types import ModuleType

from .attribute_names import AttributeNames, Scope, function_scope
from .carried_data import carried_data
from .known_attributes import (
    OwnAttributes,
    class_names,
    is_done_by_torch,
    known_attributes,
    leads_out,
)
from .library_aliases import Aliases, aliases_of, dotted_names
from .library_names import is_refused_builtin, refusal_of
from .special_names import bound_names, special_names

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
        "typing",
    }
)
_ALLOWED_WORDS = "torch, math, typing, dataclasses, functools, __future__"
# What a refused module of PyTorch is told with, where a mixer may well have meant it.
_REMEDIES = {
    "torch.utils.checkpoint": (
        "it loads PyTorch's compiler, which writes files, at its first call; call the function directly, as in "
        "y = self.mix(x): the sequences of a trial need no checkpointing"
    )
}
# Names of attributes that reach files, shared memory, or, by the graph behind an input, the weights of the model around
# the mixer, from a tensor or a module.
_REFUSED_ATTRIBUTES = frozenset(
    {
        *("_new_shared", "_set_from_file", "_share_filename_cpu_", "_write_file", "from_buffer", "from_file"),
        *("grad_fn", "next_functions", "variable"),
        *("compile", "format_map", "mro", "numpy", "share_memory", "share_memory_", "storage", "tofile"),
        *("untyped_storage", "with_traceback"),
        # Modules, wherever one may hang.
        *("builtins", "ctypes", "gc", "importlib", "inspect", "marshal", "multiprocessing", "os", "pathlib", "pickle"),
        *("runpy", "shutil", "socket", "subprocess", "sys", "threading"),
    }
)
# What may be set on a value of others too: whatever it is, it does not do something else afterwards.
_SETTABLE = frozenset({"bias", "data", "grad", "requires_grad", "weight"})
_ALLOWED_DUNDERS = frozenset({"__init__", "__name__", "__post_init__", "__call__"})
_ALLOWED_DUNDER_NAMES = frozenset({"__all__", "__author__", "__name__", "__slots__", "__version__"})
_ATTRIBUTE_FUNCTIONS = frozenset({"getattr", "hasattr", "setattr"})
_NAME_REMEDY = 'write the attribute out, or begin its name with a literal: getattr(self, f"proj_{i}")'
_TYPE_REMEDY = "compare it by is, as in type(x) is Gate, or name the class that is meant"
_FORMAT_FOUND = "format of a text that may name attributes; write an f-string"
# Names of values in many programs, and of functions of Python that do nothing to be afraid of.
_OFTEN_OWN = frozenset({"dir", "input"})
_LEADS_OUT = "the interpreter or PyTorch has it for itself; give it another name"
_LARGEST_PROGRAM_CHARACTERS = 200_000
# Trained weights can be brought along in the text; texts and tables of a mixer are short. Their sum is bounded too.
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
    names = AttributeNames(tree, _REFUSED_ATTRIBUTES)
    reviewer = _Reviewer(names, OwnAttributes(tree), aliases=aliases_of(tree), bound=bound_names(tree))
    try:
        reviewer.visit(tree)
    except RecursionError as error:
        raise ReviewError("rejected_static", "the program nests expressions too deeply to be reviewed") from error
    findings += reviewer.findings + special_names(tree) + carried_data(tree)
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
    """Collects findings.

    `_scope` is that of the outermost function around the node that is looked at.
    """

    def __init__(self, names: AttributeNames, own: OwnAttributes, *, aliases: Aliases, bound: frozenset[str]) -> None:
        self.findings: list[str] = []
        self._names = names
        self._own = own
        self._aliases = aliases
        self._bound = bound
        self._compared_types: set[ast.AST] = set()
        self._scope: Scope | None = None
        self._in_class = False

    def _find(self, node: ast.AST, message: str) -> None:
        self.findings.append(f"line {getattr(node, 'lineno', '?')}: {message}")

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.name not in _ALLOWED_MODULES:
                self._find(node, f"import of {alias.name}; {_remedy(alias.name, 'import')}")

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        if node.level or module not in _ALLOWED_MODULES:
            names = [module, *(f"{module}.{alias.name}" for alias in node.names)]
            meant = next((name for name in names if name in _REMEDIES), module)
            self._find(node, f"import from {'.' * node.level}{module}; {_remedy(meant, 'import')}")
            return
        for alias in node.names:
            if alias.name == "*":
                self._find(node, f"star import from {module}; name what is used")
                continue
            self._check_dotted(node, f"{module}.{alias.name}")

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self._check_target(target)
        # F = torch.nn.functional, where the name can be followed; an attribute of a class cannot.
        is_alias = len(node.targets) == 1 and isinstance(node.targets[0], ast.Name) and not self._in_class
        dotted = dotted_names(node.value, self._aliases) if is_alias else ()
        if dotted:
            self.visit(node.targets[0])
            for name in dotted:
                self._check_dotted(node, name)
                self._check_behind(node, name)
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

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        outside, self._in_class = self._in_class, True
        for keyword in node.keywords:
            self._find(node, f"class {node.name} with {keyword.arg or 'keywords'}; a class has bases alone")
        for name in class_names(node.body):
            if leads_out(name) and not _is_dunder(name):
                self._find(node, f"attribute {name} of class {node.name}; {_LEADS_OUT}")
        self.generic_visit(node)
        self._in_class = outside

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._visit_function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._visit_function(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._visit_function(node)

    def _visit_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        """Defaults, decorators and annotations are computed outside of the function's scope."""
        is_lambda = isinstance(node, ast.Lambda)
        self.visit(node.args)
        for outer in () if is_lambda else (*node.decorator_list, *filter(None, [node.returns])):
            self.visit(outer)
        scope, in_class = self._scope, self._in_class
        if scope is None:
            self._scope = function_scope(node, is_method=in_class and not is_lambda)
        self._in_class = False
        for inner in [node.body] if is_lambda else node.body:
            self.visit(inner)
        self._scope, self._in_class = scope, in_class

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name) and node.func.id in _ATTRIBUTE_FUNCTIONS:
            self._check_attribute_call(node, node.func.id)
        elif isinstance(node.func, ast.Attribute) and node.func.attr == "__setattr__":
            self._check_setter(node, node.func.value)
            self.visit(node.func.value)
        elif _is_type_call(node):
            if node not in self._compared_types and not isinstance(node.args[0], ast.Constant):
                self._find(node, f"type() as a value; {_TYPE_REMEDY}")
        else:
            is_check = (
                isinstance(node.func, ast.Name) and node.func.id == "isinstance" and "isinstance" not in self._bound
            )
            self._compared_types.update(node.args[1:] if is_check else [])
            self.generic_visit(node)
            return
        for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
            self.visit(argument)

    def visit_Compare(self, node: ast.Compare) -> None:
        """By identity alone: to `==` of a value of its own a program would be handed the type."""
        if all(isinstance(operator, (ast.Is, ast.IsNot)) for operator in node.ops):
            self._compared_types.update([node.left, *node.comparators])
        self.generic_visit(node)

    def visit_FormattedValue(self, node: ast.FormattedValue) -> None:
        self._compared_types.add(node.value)
        self.generic_visit(node)

    def visit_MatchClass(self, node: ast.MatchClass) -> None:
        """`case C(name=value)` reads the attribute `name`; by place, whichever the class says."""
        if node.patterns:
            self._find(node, "a class pattern by place, which may read any attribute; write case C(name=value)")
        for name in node.kwd_attrs:
            self._check_attribute(node, name)
            if name == "format":
                self._find(node, _FORMAT_FOUND)
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if node.attr == "format" and not _formats_values(node.value):
            self._find(node, _FORMAT_FOUND)
        if isinstance(node.ctx, ast.Store):
            self._check_set(node)
        if node.attr == "__name__":
            self._compared_types.add(node.value)
            if isinstance(node.value, ast.Attribute) and node.value.attr == "__class__":
                self.visit(node.value.value)
                return
        dotted = dotted_names(node, self._aliases)
        if not dotted:
            self._check_attribute(node, node.attr)
            self.generic_visit(node)
            return
        for name in dotted:
            self._check_behind(node, name)
            if _module_at(name):
                self._find(node, f"module {name} used as a value; name the function that is needed")
            self._check_dotted(node, name)

    def _check_behind(self, node: ast.AST, dotted: str) -> None:
        """Of a library the modules and what lies directly below them are names of their own list."""
        for name in _deepest_module(dotted)[1][1:]:
            self._check_attribute(node, name)

    def visit_Name(self, node: ast.Name) -> None:
        is_own = node.id in _OFTEN_OWN and node.id in self._bound
        is_builtin = is_refused_builtin(node.id) and not is_own
        if is_builtin or (_is_dunder(node.id) and node.id not in _ALLOWED_DUNDER_NAMES):
            self._find(node, f"use of {node.id}; a mixer computes on tensors and reaches nothing else")
        elif node.id in _ATTRIBUTE_FUNCTIONS:
            self._find(node, f"{node.id} used as a value; call it, on self or with a constant name")
        elif node.id == "type":
            self._find(node, f"type used as a value; {_TYPE_REMEDY}")
        for dotted in self._aliases.get(node.id, ()) if isinstance(node.ctx, ast.Load) else ():
            if _module_at(dotted):
                self._find(node, f"module {dotted} used as a value; name the function that is needed")

    def _check_attribute(self, node: ast.AST, name: str) -> None:
        if _is_dunder(name) and name not in _ALLOWED_DUNDERS:
            self._find(node, f"attribute {name}; a mixer has no use for the interpreter's internals")
        elif name in _REFUSED_ATTRIBUTES:
            self._find(node, f"attribute {name}; files, shared memory and callers are out of a mixer's reach")
        elif leads_out(name) and not _is_dunder(name):
            self._find(node, f"attribute {name}; {_LEADS_OUT}")
        elif not _is_dunder(name) and name not in known_attributes() and not self._own.has(name):
            self._find(node, f"attribute {name}, which no tensor, module of torch.nn or part of this program has")

    def _check_set(self, node: ast.Attribute) -> None:
        """A method that is set on a class of PyTorch would be another for everyone in the process."""
        base: ast.expr = node.value
        while isinstance(base, (ast.Attribute, ast.Subscript)):
            base = base.value
        is_owned = self._scope is not None and self._scope.is_owner(base)
        if not is_owned and node.attr not in _SETTABLE and is_done_by_torch(node.attr):
            self._find(
                node, f"{node.attr} is set on a foreign target; PyTorch has it, and a mixer sets such names on self"
            )

    def _check_attribute_call(self, node: ast.Call, function: str) -> None:
        if len(node.args) < 2 or isinstance(node.args[0], ast.Starred):
            self._find(node, f"{function} without its object and name written as arguments; {_NAME_REMEDY}")
            return
        target, name = node.args[:2]
        self._check_name(node, function, name)
        if function == "setattr" and not (self._scope is not None and self._scope.is_owner(target)):
            self._find(
                node, "setattr on a foreign target; it is for a method's own first parameter (self), never bound anew"
            )
        elif not isinstance(name, ast.Constant) and not self._is_own_value(target):
            self._find(
                node,
                f"{function} with a computed name on a foreign target; it is for self and what hangs on it",
            )

    def _check_setter(self, node: ast.Call, of: ast.expr) -> None:
        """super().__setattr__(name, value) and object.__setattr__(self, name, value), which frozen dataclasses need."""
        is_bound = isinstance(of, ast.Call) and isinstance(of.func, ast.Name) and of.func.id == "super" and not of.args
        name = node.args[0 if is_bound else 1] if len(node.args) == (2 if is_bound else 3) else None
        owned = is_bound or (self._scope is not None and bool(node.args) and self._scope.is_owner(node.args[0]))
        if name is None or not owned:
            self._find(node, "__setattr__ on a foreign target; set attributes of self, by assignment")
            return
        self._check_name(node, "__setattr__", name)

    def _check_name(self, node: ast.AST, function: str, name: ast.expr) -> None:
        if isinstance(name, ast.Constant) and name.value == "format":
            self._find(node, _FORMAT_FOUND)
        if self._names.is_shown(name, self._scope):
            return
        if isinstance(name, ast.Constant):
            self._find(node, f"{function} of {name.value!r}; a mixer has no use for the interpreter's internals")
        else:
            self._find(node, f"{function} with a computed name that may be any; {_NAME_REMEDY}")

    def _is_own_value(self, node: ast.expr) -> bool:
        """A local name, or what hangs on one: no library, and nothing that an expression conjures up."""
        while isinstance(node, (ast.Attribute, ast.Subscript)):
            node = node.value
        return isinstance(node, ast.Name) and node.id not in self._aliases

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
        if base is not target and _is_type_call(base):
            self._find(target, "assignment through type(); it would change the class for everyone in the process")
        if base is not target and isinstance(base, ast.Name) and base.id in self._aliases:
            self._find(target, f"assignment through the imported name {base.id}; libraries must stay as they are")

    def _check_dotted(self, node: ast.AST, dotted: str) -> None:
        module, rest = _deepest_module(dotted)
        if module is None:
            return
        if module not in _ALLOWED_MODULES:
            self._find(node, f"{dotted} reaches module {module}; {_remedy(module, 'use')}")
            return
        # The module may have been reached through another one: torch.nn.functional.torch.load is torch.load.
        refusal = refusal_of(module, rest[0]) if rest else None
        if refusal is not None:
            self._find(node, refusal)


def _remedy(module: str, verb: str) -> str:
    return _REMEDIES.get(module, f"a mixer may {verb} {_ALLOWED_WORDS}")


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _is_type_call(node: ast.AST) -> bool:
    """type(x): the class of a value. With three arguments it would make a class whose attributes the text hides."""
    is_type = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "type"
    return is_type and len(node.args) == 1 and not node.keywords and not isinstance(node.args[0], ast.Starred)


def _formats_values(text: ast.expr) -> bool:
    """Whether `text` is a literal whose fields name values alone, as "{:.2f}" and "{0}" do and "{0.data}" does not."""
    if not isinstance(text, ast.Constant) or not isinstance(text.value, str):
        return False
    try:
        fields = [(name, spec) for _, name, spec, _ in Formatter().parse(text.value) if name is not None]
    except ValueError:
        return False
    return not any("." in name or "[" in name or "{" in (spec or "") for name, spec in fields)


def _module_at(dotted: str) -> bool:
    module, rest = _deepest_module(dotted)
    return module is not None and not rest


def _deepest_module(dotted: str) -> tuple[str | None, list[str]]:
    """Name of the last real module on the way along `dotted`, and the parts behind it; None where it begins at none."""
    first, *parts = dotted.split(".")
    if first not in _ALLOWED_MODULES:
        return None, []  # the import itself was refused already; nothing is loaded to look further
    value: object = importlib.import_module(first)
    deepest, rest = first, parts
    for index, part in enumerate(parts):
        value = getattr(value, part, None)
        if isinstance(value, ModuleType):
            deepest, rest = value.__name__, parts[index + 1 :]
    return deepest, rest

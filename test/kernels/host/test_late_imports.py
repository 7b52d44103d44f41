"""What honest programs need is loaded before the host forks: nothing ends by a module that can no longer be read."""

import ast
import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from asi_kernels.generate.baselines import baseline_genome, baseline_names
from asi_kernels.generate.emit import emit_program
from asi_kernels.host.late_imports import REFUSAL

_TEST = Path(__file__).parents[2]
_WIDE = Path(__file__).parent / "wide_mixer.py"
_HONEST = [
    *sorted((_TEST / "fixtures" / "programs" / "honest").glob("*.py")),
    *sorted((_TEST / "cheats" / "programs").glob("honest*.py")),
]
# Imported by functions of modules that a mixer may use, and by nothing that a mixer does: with their parts.
_NOT_FOR_MIXERS = (
    # Compilers, and what is asked of them.
    *("torch._dynamo", "torch._inductor", "torch.fx.experimental.dynamic_spec", "torchgen", "torch.utils._cxx_pytree"),
    "torch._higher_order_ops.triton_kernel_wrap",
    # Other machines, profilers, files, tables for people.
    *("torch.distributed", "torch.profiler._chrome_trace_export", "torch.utils.serialization", "sqlite3", "tabulate"),
    # Derivatives in forward mode, and dimensions as objects: of modules that are refused.
    *("torch._decomp.decompositions_for_jvp", "functorch.dim"),
)
_LOADED = """
import json, sys
from asi_kernels.host.warm_up import warm_up
warm_up()
print(json.dumps({name: getattr(module, "__file__", None) for name, module in list(sys.modules.items())}))
"""
# Whose functions run when a mixer does, beside all of torch.nn and of what carries gradients.
_USED = (
    *("torch", "torch._jit_internal", "torch._linalg_utils", "torch._lobpcg", "torch._lowrank", "torch._ops"),
    *(f"torch._functorch.{name}" for name in ("apis", "autograd_function", "pyfunctorch", "utils", "vmap")),
    *("torch._tensor", "torch._tensor_str", "torch._utils", "torch._vmap_internals", "torch.fft", "torch.functional"),
    *("torch.linalg", "torch.overrides", "torch.random", "torch.special", "torch.storage", "torch.types"),
    *("torch.utils._contextlib", "torch.utils._device", "torch.utils._python_dispatch", "torch.utils._pytree"),
    *("torch.utils.flop_counter", "torch.utils.hooks", "torch._meta_registrations", "torch._prims_common"),
    *("contextlib", "copy", "copyreg", "dataclasses", "functools", "linecache", "traceback", "typing", "warnings"),
)
_USED_WITH_PARTS = ("torch.amp", "torch.autograd", "torch.cuda.amp", "torch.nn")


@pytest.fixture(scope="module")
def loaded() -> dict[str, str | None]:
    """Modules that a host has when it forks, with their files."""
    package = _TEST.parent / "kernels"
    found = subprocess.run([sys.executable, "-c", _LOADED], cwd=package, capture_output=True, text=True, check=True)
    return json.loads(found.stdout.splitlines()[-1])


def is_part(name: str, wholes: tuple[str, ...]) -> bool:
    return any(f"{name}.".startswith(f"{whole}.") for whole in wholes)


def imports_inside(node: ast.AST, package: str, *, inside: bool = False) -> Iterator[str]:
    """Modules that functions of a source import; of `from a import b` also a.b, which may be none."""
    for child in ast.iter_child_nodes(node):
        if inside and isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif inside and isinstance(child, ast.ImportFrom):
            relative = "." * child.level + (child.module or "")
            module = importlib.util.resolve_name(relative, package) if child.level else relative
            yield module
            yield from (f"{module}.{alias.name}" for alias in child.names)
        is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from imports_inside(child, package, inside=inside or is_function)


def exists(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def test_what_functions_for_mixers_import_is_loaded(loaded: dict[str, str | None]) -> None:
    missing: dict[str, str] = {}
    sources = {name: file for name, file in loaded.items() if name in _USED or is_part(name, _USED_WITH_PARTS)}
    assert set(_USED) <= set(sources)
    for name, file in sources.items():
        if file is None or not file.endswith(".py"):
            continue
        package = name if file.endswith("__init__.py") else name.rpartition(".")[0]
        for wanted in imports_inside(ast.parse(Path(file).read_text()), package):
            if wanted not in loaded and not is_part(wanted, _NOT_FOR_MIXERS) and exists(wanted):
                missing[wanted] = name
    assert missing == {}, "let host/warm_up.py load these, or name them here as what no mixer comes to"


def test_every_module_that_a_mixer_may_import_is_loaded(loaded: dict[str, str | None]) -> None:
    from asi_kernels.gates.static_review import _ALLOWED_MODULES

    assert set(_ALLOWED_MODULES) - set(loaded) == set()


def refused_imports(workdir: Path) -> list[str]:
    """Modules that exist and that a job wanted when it could read none."""
    lines = (workdir / "log.txt").read_text().splitlines()
    return [name for line in lines if line.startswith(REFUSAL) and exists(name := line.removeprefix(REFUSAL))]


def require_closed(host: Any) -> None:
    facts = host.ready["sandbox"]
    if facts["tier"] not in ("S2", "S1", "S0L") or not facts["landlockAbi"]:
        pytest.skip(f"the sandbox here is {facts['tier']} with version {facts['landlockAbi']} of Landlock")


@pytest.mark.parametrize("name", [*baseline_names(), *(path.stem for path in _HONEST)])
def test_an_honest_program_is_checked_trained_and_asked_without_an_import(
    host: Any, tmp_path: Path, make_trial: Any, answer_request: Any, ask_host: Any, deltanet_program: str, name: str
) -> None:
    require_closed(host)
    path = next((path for path in _HONEST if path.stem == name), None)
    program = emit_program(baseline_genome(name), name, "") if path is None else path.read_text()
    request = make_trial(tmp_path / "train", program, steps=1)
    check, answer = tmp_path / "check", tmp_path / "answer"
    for folder in (check, answer):
        folder.mkdir()
    (check / "reference.py").write_text(deltanet_program)
    paths = {"programPath": request["programPath"], "referencePath": str(check / "reference.py")}
    checking = {**paths, "rung": request["rung"], "seed": 0, "cuts": 1, "flopsLimit": 99.0}
    (check / "request.json").write_text(json.dumps(checking))
    assert host.run(f"checks-{name}", check, "check")["label"] is None
    result = json.loads((check / "result.json").read_text())
    # The same ends as in a process that reads what it likes (gates/test_check.py), of which size is the one that may be
    # another here: these programs are matched at another rung.
    assert result["label"] in (None, "unmatched"), result["detail"]
    assert train_and_ask(host, tmp_path, request, ask_host, answer_request) == []
    assert refused_imports(check) == []


def test_much_of_what_mixers_may_use_works_where_no_file_is_read(
    host: Any, tmp_path: Path, make_trial: Any, answer_request: Any, ask_host: Any
) -> None:
    require_closed(host)
    request = make_trial(tmp_path / "train", _WIDE.read_text(), steps=1, kinds=("bytes",))
    (tmp_path / "answer").mkdir()
    assert train_and_ask(host, tmp_path, request, ask_host, answer_request) == []


def train_and_ask(host: Any, folder: Path, request: dict[str, Any], ask_host: Any, answer_request: Any) -> list[str]:
    """Imports that were refused in a training and in answering; both must end well."""
    assert host.run(f"trains-{folder.name}", folder / "train")["label"] is None
    trained = json.loads((folder / "train" / "result.json").read_text())
    assert (trained["status"], trained["label"]) == ("trained", None), trained["detail"]
    answered = ask_host(host, folder / "answer", answer_request(request, trained["checkpointPath"]))
    assert (answered["status"], answered["label"]) == ("answered", None), answered["detail"]
    return refused_imports(folder / "train") + refused_imports(folder / "answer")

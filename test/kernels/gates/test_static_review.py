import random
from pathlib import Path

import pytest

from asi_kernels.gates.static_review import ReviewError, integer_constants, review
from asi_kernels.generate.baselines import baseline_genome, baseline_names
from asi_kernels.generate.emit import emit_program

_TESTS = Path(__file__).parents[2]
HONEST = [
    *sorted((_TESTS / "fixtures" / "programs" / "honest").glob("*.py")),
    *sorted((_TESTS / "cheats" / "programs").glob("honest*.py")),
]
_HEAD = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\nimport math\n"
_TAIL = """
class Mixer(nn.Module):
    def __init__(self, hidden_size, num_heads, layer_index=0, num_layers=1):
        super().__init__()
        self.w, self.scale, self.blocks = nn.Parameter(torch.ones(1)), nn.Linear(1, 1), nn.ModuleList()

    def forward(self, x, state=None):
        {body}
        return x, state
"""


def _text(body: str = "pass", head: str = "") -> str:
    return _HEAD + head + _TAIL.replace("{body}", body)


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("open('a')", "open"),
        ("exec('1')", "exec"),
        ("eval('1')", "eval"),
        ("f = eval", "eval"),
        ("__import__('os')", "__import__"),
        ("__builtins__['open']", "__builtins__"),
        ("globals()", "globals"),
        ("torch.os.system('ls')", "module os"),
        ("F.warnings.sys.exit()", "module sys"),
        ("t = torch\n        t.os.getcwd()", "module os"),
        ("t, u = torch, nn", "module torch used as a value"),
        ("dir(torch)", "module torch used as a value"),
        ("f = torch.nn.functional\n        f.cross_entropy = 1", "assignment through the imported name f"),
        ("F.cross_entropy = None", "assignment through the imported name F"),
        ("nn.Module.forward, y = 1, 2", "assignment through the imported name nn"),
        ("torch.Tensor.__add__ = None", "assignment through the imported name torch"),
        ("del torch.nn", "assignment through the imported name torch"),
        ("torch.load('a')", "torch.load"),
        ("torch.save(x, 'a')", "torch.save"),
        ("torch.from_file('a')", "torch.from_file"),
        ("torch.Generator().seed()", "torch.Generator"),
        ("torch.seed()", "torch.seed"),
        ("Mixer.__doc__", "__doc__"),
        ("torch.manual_seed(0)", "torch.manual_seed"),
        ("torch.set_num_threads(8)", "torch.set_num_threads"),
        ("torch.set_default_dtype(torch.float64)", "torch.set_default_dtype"),
        ("torch.compile(x)", "torch.compile"),
        ("torch.CompilationUnit().define('def f(): return 1')", "torch.CompilationUnit"),
        ("f = torch.CompilationUnit().create_function('f', torch.parse_ir('graph(): return ()'))", "torch.parse_ir"),
        ("torch.Graph().create('aten::from_file')", "torch.Graph"),
        ("from torch import parse_ir as p", "torch.parse_ir"),
        ("F.torch.parse_ir('')", "torch.parse_ir"),
        ("torch.torch.parse_ir('')", "torch.parse_ir"),
        ("torch.ScriptModule()", "torch.ScriptModule"),
        ("torch.import_ir_module(x, 'a')", "torch.import_ir_module"),
        ("torch.parse_schema('a')", "torch.parse_schema"),
        ("torch.ThroughputBenchmark(self)", "torch.ThroughputBenchmark"),
        ("torch.init_num_threads()", "torch.init_num_threads"),
        ("torch.fork(x)", "torch.fork"),
        ("torch.to_dlpack(x)", "torch.to_dlpack"),
        ("torch.while_loop(x, x, x)", "torch.while_loop"),
        ("torch.mkldnn_rnn_layer(x)", "torch.mkldnn_rnn_layer"),
        ("torch.einsumm(x)", "which PyTorch"),
        ("F._VF.from_file('a')", "module torch._VF"),
        ("F.handle_torch_function(x)", "torch.nn.functional.handle_torch_function"),
        ("F.boolean_dispatch(x)", "torch.nn.functional.boolean_dispatch"),
        ("F.silu6(x)", "which PyTorch"),
        ("torch.autograd.detect_anomaly()", "torch.autograd.detect_anomaly"),
        ("torch.autograd.ProfilerConfig()", "torch.autograd.ProfilerConfig"),
        ("torch.autograd.graph.Node", "module torch.autograd.graph"),
        ("torch.autograd.forward_ad.dual_level()", "module torch.autograd.forward_ad"),
        ("nn.parallel.parallel_apply(x)", "module torch.nn.parallel"),
        ("nn.utils.stateless.functional_call(x)", "module torch.nn.utils.stateless"),
        ("torch.linalg._add_docstr(x)", "torch.linalg._add_docstr"),
        ("import typing\n        typing.ForwardRef('open')", "typing.ForwardRef"),
        ("torch._C._cuda_init()", "torch._C"),
        ("torch.hub.load('a')", "torch.hub"),
        ("torch.utils.cpp_extension.load('a')", "torch.utils.cpp_extension"),
        ("torch.ops.load_library('a')", "torch.ops"),
        ("torch.multiprocessing.spawn(x)", "torch.multiprocessing"),
        ("torch.backends.cudnn.benchmark", "torch.backends"),
        ("().__class__.__mro__", "__mro__"),
        ("x.forward.__globals__", "__globals__"),
        ("getattr(x, 'a' + 'b')", "computed name"),
        ("getattr(self, '__dict__')", "__dict__"),
        ("f = getattr", "getattr used as a value"),
        ("setattr(x, 'data', 1)", "foreign target"),
        ("x.untyped_storage().from_file('a', True)", "attribute from_file"),
        ("torch.UntypedStorage.from_file('a')", "torch.UntypedStorage"),
        ("torch.FloatStorage.from_file('a')", "torch.FloatStorage"),
        ("x.numpy().tofile('a')", "attribute tofile"),
        ("g = (y for y in x)\n        g.gi_frame.f_back", "attribute f_back"),
        ("getattr(self, 'gi_frame')", "gi_frame"),
        ("x.grad_fn.next_functions", "attribute next_functions"),
        (f"w = '{'a' * 3000}'", "literal of 3,000 characters"),
        (f"w = b'{'a' * 3000}'", "literal of 3,000 characters"),
        (f"w = [{'1.5,' * 600}]", "table of 600 entries"),
        (f"w = {1 << 100}", "integer of 101 bits"),
        ("self = getattr(self, '__cla' + 'ss__')", "assignment to self"),
        ("import typing\n        typing.get_type_hints(self.forward)", "typing.get_type_hints"),
        ("from functools import singledispatch", "functools.singledispatch"),
        ("F.torch.load('a')", "torch.load"),
        ("t = F.torch\n        t.save(x, 'a')", "torch.save"),
        ("torch.PyTorchFileWriter('a')", "torch.PyTorchFileWriter"),
        ("self.compile()", "attribute compile"),
        ("setattr(self, '__class__', 1)", "__class__"),
        ("hasattr(x, 'to' + 'file')", "computed name"),
        ("super().__getattribute__('a')", "__getattribute__"),
        ("object.__setattr__(x, 'data', 1)", "__setattr__ on a foreign target"),
        ("object.__setattr__(self, 'a' + 'b', 1)", "__setattr__ with a computed name"),
        ("f = super().__setattr__", "attribute __setattr__"),
        ("type(self.out).forward = None", "assignment through type()"),
        ("t = type(x)\n        t.forward = None", "type() as a value"),
        ("type(type(0))('A', (), {'__match_args__': ('a',)})", "type() as a value"),
        ("f = type(self)", "type() as a value"),
        ("type(x)(1)", "type() as a value"),
        ("y = type(self)(1, 2)", "type() as a value"),
        ("y = x == type(x)", "type() as a value"),
        ("y = type(x) in (int, float)", "type() as a value"),
        ("isinstance = lambda a, b: b; y = isinstance(x, type(self))", "type() as a value"),
        ("import typing\n        typing.TypedDict('T', {'a': int})", "typing.TypedDict"),
        ("class P(metaclass=lambda *parts: parts): pass", "class P with metaclass"),
        ("try: pass\n        except AttributeError as e: e.obj", "attribute obj"),
        ("import typing\n        typing.get_args(typing.List['exec'])", "typing.get_args"),
        ("r = (x,)[0]._evaluate({}, {}, frozenset())", "attribute _evaluate"),
        ("self._evaluate = 1; x[0]._evaluate({}, {}, frozenset())", "attribute _evaluate"),
        ("getattr(x, '_evaluate')", "_evaluate"),
        ("credits._Printer__filenames = ['/proc/self/maps']", "use of credits"),
        ("license()", "use of license"),
        ("help(x)", "use of help"),
        ("memoryview(b'')", "use of memoryview"),
        ("x._Printer__setup()", "attribute _Printer__setup"),
        ("self.__setup = 1", "attribute __setup"),
        ("class _Printer:\n            __setup = 1", "attribute __setup of class _Printer"),
        ("(y for y in x).gi_code.replace(co_names=('exec',))", "attribute gi_code"),
        ("self.gi_code = 1; x.gi_code", "attribute gi_code"),
        ("getattr(x, 'gi_code')", "gi_code"),
        ("getattr(self, f'gi_{1}')", "computed name"),
        ("class P:\n            gi_code: int = 0", "attribute gi_code of class P"),
        ("match x:\n            case int(y): pass", "by place"),
        ("f = F.silu.__globals__.get('__builtins__')", "__globals__"),
        ("torch.Tensor._make_subclass(x)", "attribute _make_subclass"),
        ("x.tobytes()", "attribute tobytes, which no tensor"),
        ("f = nn.Linear\n        f.forward = None", "assignment through the imported name f"),
        ("for f in (nn.Linear,): f.forward = None", "forward is set on a foreign target"),
        ("def reach():\n            return lib.os\n        lib = torch", "module os"),
        ("import math as torch\n        torch.os.getcwd()", "module os"),
        ("class Box:\n            lib = torch", "module torch used as a value"),
        ("t = t.nn if x else torch\n        t = torch\n        t.sys.exit()", "module sys"),
        ("y = x[0].sys.stderr", "attribute sys"),
        ("def f(exec=None):\n            class P:\n                exec('1'); exec = None", "use of exec"),
        ("class Tail:\n            def __radd__(self, head): return '__globals__'", "__radd__ is bound"),
        ("class Tail(str):\n            def __rmod__(self, head): return '__globals__'", "__rmod__ is bound"),
        ("class Tail:\n            import math as __radd__", "__radd__ is bound"),
        ("match {'a': int}:\n            case __annotations__: pass", "__annotations__ is bound"),
        ("match [1]:\n            case [*__annotations__]: pass", "__annotations__ is bound"),
        ("match {1: 2}:\n            case {1: y, **__annotations__}: pass", "__annotations__ is bound"),
        ("def __getattr__(self, name): pass", "__getattr__ is bound"),
        ("f = lambda __class__: 0", "__class__ is bound"),
        ("getattr('{0.__globals__}', 'format')(x)", "format of a text"),
        ("match x:\n            case str(format=f): pass", "format of a text"),
        ("super(nn.Module, x).__setattr__('weight', 1)", "__setattr__ on a foreign target"),
        ("getattr(type(self), f'proj_{1}')", "foreign target"),
        ("type('T', (), {'__match_args__': ('a',)})", "type used as a value"),
        ("match x:\n            case object(__dict__=d): pass", "attribute __dict__"),
        ("match x:\n            case object(grad_fn=g): pass", "attribute grad_fn"),
        ("class P:\n            __match_args__ = ('a',)", "use of __match_args__"),
        ("class P:\n            __annotations__ = {}", "use of __annotations__"),
        ("c = __class__", "use of __class__"),
        ("'{0.__class__}'.format(x)", "format of a text"),
        ("'{:{0.data}}'.format(x)", "format of a text"),
        ("s = 'a'\n        s.format(x)", "format of a text"),
        ("'{a}'.format_map(x)", "attribute format_map"),
        ("from functools import update_wrapper", "functools.update_wrapper"),
        ("import functools\n        functools.wraps(x, ('a',))", "functools.wraps"),
        ("import typing\n        typing.functools.update_wrapper(x, x)", "functools.update_wrapper"),
        ("from functools import partial\n        partial(getattr, x)", "getattr used as a value"),
        ("list(map(hasattr, x, x))", "hasattr used as a value"),
        ("from operator import attrgetter", "import from operator"),
        ("from dataclasses import astuple", "dataclasses.astuple"),
        ("global N", "global N"),
        ("import os", "import of os"),
        ("import torch.hub as h", "import of torch.hub"),
        ("from os import path", "import from os"),
        ("from torch import load", "torch.load"),
        ("from torch import os as o", "module os"),
        ("from torch.utils import data", "import from torch.utils"),
        ("from . import other", "import from ."),
    ],
)
def test_a_name_that_no_mixer_needs_is_refused_with_its_line(body: str, word: str) -> None:
    with pytest.raises(ReviewError) as refused:
        review(_text(body))
    assert refused.value.label == "rejected_static"
    assert word in str(refused.value)
    assert str(refused.value).startswith("line ")


@pytest.mark.parametrize(
    "body",
    [
        "import torch.utils.checkpoint",
        "import torch.utils.checkpoint as c",
        "from torch.utils.checkpoint import checkpoint",
        "from torch.utils import checkpoint",
        "x = torch.utils.checkpoint.checkpoint(F.silu, x)",
        "check = torch.utils.checkpoint\n        x = check.checkpoint(F.silu, x)",
    ],
)
def test_checkpointing_is_refused_with_what_to_write_instead(body: str) -> None:
    """Its first call has PyTorch make a folder for its compiler, which the host takes for a forbidden write."""
    with pytest.raises(ReviewError) as refused:
        review(_text(body))
    assert refused.value.label == "rejected_static"
    assert "torch.utils" in str(refused.value)
    assert "call the function directly, as in y = self.mix(x)" in str(refused.value)


_METHODS = """
PARTS = ("query", "key")
SECRET = "__dict" + "__"

class Reaching(nn.Module):
    {method}
"""


@pytest.mark.parametrize(
    "method",
    [
        "def reach(self, name): return getattr(self, name)",
        "def reach(self, name): return getattr(self, 'a' if name else name)",
        "def reach(self, name): return getattr(self, f'{name}')",
        "def reach(self, name): return getattr(self, f'q{name}')",
        "def reach(self, name): return getattr(self, f'__{name}')",
        "def reach(self, name): return getattr(self, '__' + name)",
        "def reach(self, name): return getattr(self, 'grad_' + name)",
        "def reach(self, name): return getattr(self, f'unty{name}')",
        "def reach(self, name): return getattr(self, '%s' % name)",
        "def reach(self, name): return getattr(self, '{}'.format(name))",
        "def reach(self, name): return getattr(self, name.strip())",
        "def reach(self, *words): return getattr(*words)",
        "def reach(self, name): return getattr(torch, f'proj_{name}')",
        "def reach(self, name): return getattr(self.find(), f'proj_{name}')",
        "def reach(self, other): return setattr(other, 'weight', 1)",
        "def reach(self, other): return setattr(self.inner, f'proj_{other}', 1)",
        "def reach(self, other): me = other; setattr(me, 'weight', 1)",
        "def reach(self, other):\n        for self in other: setattr(self, 'weight', 1)",
        "def reach(self): return getattr(self, SECRET)",
        "def reach(self, name='query'): return getattr(self, name)",
        "def reach(self, value=getattr(nn.Module(), SECRET)): SECRET = 'query'; return getattr(self, SECRET)",
        "def reach(self, names):\n        for name in names: getattr(self, name)",
        "def reach(self, names):\n        for name in names: getattr(self, f'{name}_proj')",
        "def reach(self):\n        for name in ('q', '__di'): getattr(self, f'{name}ct__')",
        "def reach(self):\n        for name in ('q', 'gi'): getattr(self, f'{name}_{1}')",
        "def reach(self):\n        for name in ('q', 'k'): getattr(self, f'{name}{name}')",
        "def reach(self):\n        for name in ('q', 'k'): getattr(self, f'{name!r}_proj')",
        "def reach(self):\n        for name in ('query', '__dict__'): getattr(self, name)",
        "def reach(self):\n        for name in ('query', SECRET): getattr(self, name)",
        "def reach(self):\n        for name in ('query', *self.more): getattr(self, name)",
        "def reach(self):\n        names = ['query']; names[0] = SECRET\n        for a in names: getattr(self, a)",
        "def reach(self):\n        name = 'query'; name += 's'; getattr(self, name)",
        "def reach(self):\n        name = 'query'\n        with self as name: getattr(self, name)",
        "def reach(self, x):\n        name = 'query'\n        match x:\n            case name: getattr(self, name)",
        "def reach(self):\n        [0 for SECRET in ('query',)]; return getattr(self, SECRET)",
        "def reach(self):\n        class A: SECRET = 'query'\n        return getattr(self, SECRET)",
        "def reach(self):\n        for name, _ in (('query', 1), (SECRET, 2)): getattr(self, name)",
        "def reach(self): (name := SECRET); return getattr(self, name)",
        "reach = lambda self, name: getattr(self, name)",
        "@staticmethod\n    def reach(): return getattr((lambda: nn)(), 'a' + 'b')",
    ],
)
def test_an_attribute_name_that_the_text_does_not_show_is_refused(method: str) -> None:
    with pytest.raises(ReviewError) as refused:
        review(_text(head=_METHODS.replace("{method}", method)))
    words = ("with a computed name", "on a foreign target", "getattr of '__dict__'", "without its object and name")
    assert any(word in str(refused.value) for word in words), str(refused.value)
    assert refused.value.label == "rejected_static"


@pytest.mark.parametrize(
    "method",
    [
        "def part(self, i): return getattr(self, f'proj_{i}')",
        "def part(self, i): return getattr(self, 'proj_' + str(i) + '_in')",
        "def part(self, i): return getattr(self, 'proj_%d' % i)",
        "def part(self, i): return getattr(self, 'proj_{}'.format(i))",
        "def part(self, i): return getattr(self, 'query' if i else f'key_{i}')",
        "def part(this, i): setattr(this, f'proj_{i}', nn.Linear(2, 2))",
        "def part(self, i): name = f'proj_{i}'; setattr(self, name, i); return getattr(self, name, None)",
        "def part(self):\n        for name in ('query', 'key'): setattr(self, name, nn.Linear(2, 2))",
        "def part(self):\n        for name in PARTS: setattr(self, name, nn.Linear(2, 2))",
        "def part(self): return [getattr(self, name) for name in PARTS]",
        "def part(self):\n        for name, size in (('query', 1), ('key', 2)): setattr(self, name, size)",
        "def part(self):\n        for block in self.blocks: getattr(block, f'proj_{1}')",
        "def part(self): return getattr(self.blocks[0], f'proj_{1}')",
        "def part(self, x): return type(x) is torch.Tensor and type(self).__name__",
        "def part(self): return '{:.2f} {}'.format(1.0, 'a')",
        "def part(self): object.__setattr__(self, 'query', 1)",
        "def part(self): return lambda i: getattr(self, f'proj_{i}')",
    ],
)
def test_names_whose_beginning_is_written_out_are_let_through(method: str) -> None:
    review(_text(head=_METHODS.replace("{method}", method)))


@pytest.mark.parametrize(
    "body",
    [
        "f = torch.nn.functional\n        x = f.silu(x)",
        "x = getattr(self, 'norm')(x)",
        "x = getattr(self, f'conv{1}')(x)",
        "setattr(self, f'conv{1}', nn.Linear(2, 2))",
        "x = torch.fft.irfft(torch.fft.rfft(x, dim=1), dim=1)",
        "x = torch.linalg.solve_triangular(x, x, upper=False)",
        "with torch.amp.autocast('cpu', enabled=False):\n            x = x * math.sqrt(2.0)",
        "nn.init.normal_(self.weight, std=0.02)",
        "self.scale.weight.data[0] = 1.0",
        "x = hasattr(self, 'cache') and x",
        "x = torch.einsum('btd,de->bte', x, self.w).to(torch.bfloat16).to(dtype=torch.float32)",
        "x = torch.where(x > 0, torch.full_like(x, -math.inf), torch.tensor(0.0, device=torch.device('cpu')))",
        "x = torch.randn(2) + torch.rand_like(x) + torch.randint(0, 2, (3,)) + torch.bernoulli(x)",
        "x = torch.vmap(lambda y: y * torch.finfo(x.dtype).eps)(x)",
        "m = torch.broadcast_shapes(x.shape, torch.Size((1,))); torch.unique(x)",
        "with torch.no_grad(), torch.autocast('cpu', enabled=torch.is_autocast_enabled('cpu')):\n            x = x + 1",
        "if torch.is_grad_enabled() and torch.is_tensor(x):\n            x = torch.autograd.grad(x.sum(), x)[0]",
        "x = torch.istft(torch.stft(x, 8, return_complex=True), 8) + torch.complex(x, x).real + torch.polar(x, x)",
        "x = F.scaled_dot_product_attention(F.conv1d(x, x), F.linear(x, x), F.softplus(x), is_causal=True)",
        "x = F.gumbel_softmax(F.rms_norm(F.pad(x, (1, 0)), (2,))) + F.one_hot(x) + F.adaptive_max_pool1d(x, 1)",
        "x = torch.linalg.solve_ex(x, x)[0] + torch.linalg.vector_norm(x) + torch.special.expit(x)",
        "x = x.contiguous(memory_format=torch.channels_last) * torch.pi",
        "self.w = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2)); nn.init.trunc_normal_(self.w.weight)",
        "for n in ('q', 'k'): setattr(self, f'{n}_proj', nn.Linear(1, 1))\n        x = getattr(self, f'{n}_proj')(x)",
        "self.register_buffer('gate_{}'.format(1), x); x = self.gate_1 + len(self.__class__.__name__)",
        "assert isinstance(x, (torch.Tensor, type(None)))",
        "input = x * 2; x = [input for input in (input,)][0]",
        "p = self.scale; p.weight.data = x; p.weight.requires_grad = False; p.weight._no_weight_decay = True",
        "self.register_buffer('mask', x); self.register_buffer(f'{1}_bias', x); x = self.mask + self.key_bias",
        "self.register_buffer('proj_' + str(1), x); x = self.proj_1 + self.scale.in_features",
        "assert isinstance(x, type(x)) and type(x) is not type(x), f'{type(x)}'",
        "values, indices = x.max(1); u = torch.linalg.svd(x).Vh + torch.topk(x, 2).indices + x.mT.stride(0)",
        "y: torch.LongTensor = torch.argsort(x); x = torch.cumsum(x, 1) @ torch.triu(torch.ones(2, 2), 1)",
    ],
)
def test_what_honest_mixers_write_is_let_through(body: str) -> None:
    review(_text(body))


def test_a_name_stands_for_what_it_is_anywhere_in_the_text() -> None:
    """A function runs after what is below it."""
    early = "def reach():\n    return torch.os.getcwd()\n"
    with pytest.raises(ReviewError, match="module os"):
        review(early + _text())
    with pytest.raises(ReviewError, match="module os"):
        review(_text(head=early + "def never():\n    import math as torch\n"))


def test_methods_that_python_calls_by_itself_are_listed() -> None:
    review(
        _text(
            head="class Config:\n    def __len__(self):\n        return 1\n\n"
            "    def __repr__(self):\n        return ''\n"
        )
    )


def test_parameters_may_have_the_name_of_what_python_calls_something_else() -> None:
    """`input` is what PyTorch calls it."""
    review(_text(head="def dual(input, *, dir):\n    return (lambda: input + dir)()\n"))
    with pytest.raises(ReviewError, match="use of input"):
        review(_text("x = input()"))


def test_custom_gradients_dataclasses_and_typing_are_let_through() -> None:
    review(
        _text(
            head="from dataclasses import dataclass\nfrom functools import lru_cache\nfrom typing import Optional\n"
            "from torch.autograd.function import once_differentiable\n"
            "class Scan(torch.autograd.Function):\n    @staticmethod\n    @once_differentiable\n"
            "    def backward(ctx, g):\n        return g\n"
        )
    )


def test_what_a_name_under_torch_is_refused_for_and_what_may_stand_there_is_said() -> None:
    with pytest.raises(ReviewError) as refused:
        review(_text("torch.parse_ir('')"))
    for word in ("use of torch.parse_ir", "torch.matmul", "compilers", "belong to the trainer"):
        assert word in str(refused.value)


@pytest.mark.parametrize("path", HONEST, ids=lambda path: path.name)
def test_an_honest_program_is_let_through(path: Path) -> None:
    review(path.read_text())


@pytest.mark.parametrize("name", baseline_names())
def test_an_emitted_program_is_let_through(name: str) -> None:
    review(emit_program(baseline_genome(name), name, "A test of the text."))


def test_emitted_programs_of_drawn_genomes_are_let_through(draw_genome) -> None:
    rng = random.Random(1)
    for _ in range(60):
        review(emit_program(draw_genome(rng), "drawn", "A test of the text."))


def test_every_finding_is_told_at_once() -> None:
    with pytest.raises(ReviewError) as refused:
        review("import os\nimport sys\nopen('a')\n")
    for word in ("no class named Mixer", "import of os", "import of sys", "use of open"):
        assert word in str(refused.value)


def test_a_text_that_does_not_parse_is_a_compile_error_with_its_line() -> None:
    with pytest.raises(ReviewError) as refused:
        review(_HEAD + "def broken(:\n")
    assert refused.value.label == "compile_error"
    assert str(refused.value).startswith("line 5: ")


@pytest.mark.parametrize("text", ["x = '\0'", "(" * 50_000, "x" + " + 1" * 60_000])
def test_a_text_made_to_break_the_parser_is_refused(text: str) -> None:
    with pytest.raises(ReviewError):
        review(text)


def test_a_text_past_the_limit_is_refused_with_both_numbers() -> None:
    with pytest.raises(ReviewError, match=r"300,\d+ characters; at most 200,000"):
        review(_text() + "#" * 300_000)


def test_integers_of_the_text_are_listed_without_booleans_and_floats() -> None:
    tree = review(_text("x = x[:256] * 2.5 if True else x + 31"))
    assert integer_constants(tree) == (0, 1, 31, 256)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"w = '{'a' * 1500}'\n" * 3, "4,500 bytes of text in its literals; at most 2,000"),
        (f"w = [{'1.5, ' * 400}]\n" * 3, "1,203 numbers; at most 600"),
        (
            "w = [dict(" + ", ".join(f"{'b' * 50}{n}=x" for n in range(200)) + ")]\n",
            "bytes in its different names",
        ),
    ],
)
def test_many_small_pieces_may_not_carry_what_one_large_may_not(plain_program: str, text: str, said: str) -> None:
    with pytest.raises(ReviewError, match=said) as refused:
        review(plain_program + "\nx = 1\n" + text)
    assert refused.value.label == "rejected_static"
    review(plain_program + '\n"""' + "a docstring is read by nobody " * 60 + '"""\n')

"""From a genome to the text of its program: a readable, self-contained PyTorch module with nothing in it that the
genome does not use.

Contract of a program: `class Mixer(nn.Module)` with `__init__(hidden_size, num_heads, layer_index=0, num_layers=1)`
and `forward(x, state=None) -> (y, state)`; x and y are [B, T, hidden]. The state is a tuple of tensors that carries
everything a later token may depend on, so a sequence may be cut anywhere. Emission is deterministic and needs no
torch.
"""

from __future__ import annotations

import json
import textwrap

from asi_kernels.generate.layout import fit
from asi_kernels.generate.legal import require_legal
from asi_kernels.generate.plan import Genome, Plan, plan_layer, plan_window_layer
from asi_kernels.generate.text_inputs import input_lines, input_modules
from asi_kernels.generate.text_outputs import output_lines, output_modules, window_text
from asi_kernels.generate.text_recurrence import recurrence_constants, recurrence_text


def emit_program(genome: Genome, name: str, motivation: str) -> str:
    """The program text of a legal genome. Raises ValueError naming every violation of an illegal one."""
    require_legal(genome)
    layer = plan_layer(genome)
    windowed = genome["layers"]["pattern"] == "alternate-window"
    plans = [layer, plan_window_layer(genome)] if windowed else [layer]
    constants = recurrence_constants(layer) + ([f"WINDOW = {genome['layers']['window']}  # tokens"] if windowed else [])
    functions = [recurrence_text(layer)]
    if windowed:
        functions.append(window_text())
    functions += _shared_functions(plans)
    if windowed:
        classes = [_class_text(plans[0], "RecurrentLayer"), _class_text(plans[1], "WindowLayer"), _alternating_text()]
    else:
        classes = [_class_text(layer, "Mixer")]
    body = "\n\n\n".join("\n".join(fit(block)) for block in [*functions, *classes])
    head = [*_header(genome, name, motivation), "", *_imports("math." in body), "", *constants]
    return "\n".join(head) + "\n\n\n" + body + "\n"


def _header(genome: Genome, name: str, motivation: str) -> list[str]:
    paragraphs = [line for line in motivation.splitlines() if line.strip()]
    wrapped = [row for paragraph in paragraphs for row in textwrap.wrap(paragraph, 120)]
    title = " ".join(name.split())
    return [f"# {title}", "#", *(f"# {row}" for row in wrapped), "#", f"# genome: {json.dumps(genome, sort_keys=True)}"]


def _imports(with_math: bool) -> list[str]:
    lines = ["import math", ""] if with_math else []
    return [*lines, "import torch", "from torch import nn", "from torch.nn import functional as F"]


def _shared_functions(plans: list[Plan]) -> list[list[str]]:
    functions: list[list[str]] = []
    convolution, fir, rope = (any(getattr(plan, what) for plan in plans) for what in ("convolution", "fir", "rope"))
    if convolution or fir:
        functions.append(
            [
                "def depthwise(x, weight):",
                '    """y_t = sum_j weight[:, j] x_(t+j): x [B, T + L - 1, D], weight [D, L], y [B, T, D]."""',
                "    x, groups = x.transpose(1, 2), weight.shape[0]",
                "    if x.dtype != torch.float32:",
                "        return F.conv1d(x, weight[:, None, :], groups=groups).transpose(1, 2)",
                "    # As a channels-last image, on a CPU twice as fast; in other precisions it is not.",
                "    y = F.conv2d(x.unsqueeze(2), weight[:, None, None, :], groups=groups)",
                "    return y.squeeze(2).transpose(1, 2)",
            ]
        )
    if convolution:
        functions += [
            [
                "def causal_convolution(x, weight, tail):",
                '    """depthwise over x and the tail [B, L - 1, D] before it. Returns y and the next tail."""',
                "    joined = torch.cat((tail.to(x.dtype), x), 1)",
                "    return depthwise(joined, weight), joined[:, x.shape[1] :]",
            ],
            [
                "def short_convolution_weight(channels, kernel):",
                "    return nn.Parameter((torch.rand(channels, kernel) * 2.0 - 1.0) * kernel**-0.5)",
            ],
        ]
    if fir:
        functions.append(
            [
                "def near_identity_weight(channels, kernel):",
                '    """The present token passes; a little noise on the past tells the channels apart."""',
                "    weight = torch.randn(channels, kernel) * 0.02",
                "    weight[:, -1] += 1.0",
                "    return nn.Parameter(weight)",
            ]
        )
    if rope:
        functions.append(
            [
                "def rotate(x, cos, sin):",
                '    """Turns the halves of the channels of x [B, H, T, K] by the angles of cos and sin [T, K / 2]."""',
                "    first, second = x.chunk(2, -1)",
                "    return torch.cat((first * cos - second * sin, first * sin + second * cos), -1)",
            ]
        )
    return functions


def _class_text(plan: Plan, name: str) -> list[str]:
    lines = [
        f"class {name}(nn.Module):",
        "    def __init__(self, hidden_size, num_heads, layer_index=0, num_layers=1):",
        "        super().__init__()",
        *_head_layout(plan),
        *input_modules(plan),
        *output_modules(plan),
        "",
        *_initial_state_text(plan),
        "",
    ]
    if plan.rope:
        lines += _turns_text()
    lines += [
        "    def forward(self, x, state=None):",
        '        """x [B, T, hidden_size]; a state continues an earlier call. Returns y like x, and the state."""',
        "        if state is None:",
        "            state = self.initial_state(x)",
        f"        {_unpacked(plan.state_names)} = state",
        *input_lines(plan),
        *_core_lines(plan),
    ]
    if plan.counts_position:
        lines.append("        position = position + T")
    return [*lines, *output_lines(plan)]


def _head_layout(plan: Plan) -> list[str]:
    layout = plan.genome["heads"]
    heads = {0.5: "max(1, num_heads // 2)", 1: "num_heads", 2: "2 * num_heads"}[layout["multiple"]]
    key_dim = {0.5: "max(1, head_dim // 2)", 1: "head_dim"}[layout["expandKey"]]
    value_dim = {1: "head_dim", 2: "2 * head_dim"}[layout["expandValue"]]
    return [
        f"        heads = {heads}",
        "        if hidden_size % heads:",
        '            raise ValueError(f"hidden_size is {hidden_size}: it must be a multiple of the {heads} heads")',
        "        head_dim = hidden_size // heads",
        f"        key_dim, value_dim = {key_dim}, {value_dim}",
        "        self.heads, self.key_dim, self.value_dim = heads, key_dim, value_dim",
    ]


def _unpacked(names: list[str]) -> str:
    return f"({names[0]},)" if len(names) == 1 else ", ".join(names)


def _initial_state_text(plan: Plan) -> list[str]:
    made = {
        "memory": "x.new_zeros(B, H, K, V, dtype=wide)",
        "window_keys": "x.new_zeros(B, H, WINDOW, K, dtype=wide)",
        "window_values": "x.new_zeros(B, H, WINDOW, V, dtype=wide)",
        "conv_tail": "x.new_zeros(B, self.conv.shape[1] - 1, self.conv.shape[0])",
        "fir_tail": f"x.new_zeros(B, {plan.longest_fir - 1}, H * V)",
        "position": "torch.zeros((), dtype=torch.long, device=x.device)",
    }
    return [
        "    def initial_state(self, x):",
        f'        """What precedes a sequence: {", ".join(plan.state_names)}."""',
        "        B, H, K, V = x.shape[0], self.heads, self.key_dim, self.value_dim",
        "        wide = torch.promote_types(x.dtype, torch.float32)  # no state below float32",
        *(f"        {name} = {made[name]}" for name in plan.state_names),
        f"        return {_unpacked(plan.state_names)}",
    ]


def _turns_text() -> list[str]:
    return [
        "    def turns(self, position, length, dtype):",
        "        at = (position + torch.arange(length, device=position.device)).to(dtype)",
        "        channels = torch.arange(0, self.key_dim, 2, dtype=dtype, device=position.device)",
        "        angles = at[:, None] * 10000.0 ** (-channels / self.key_dim)",
        "        return angles.cos(), angles.sin()",
        "",
    ]


def _core_lines(plan: Plan) -> list[str]:
    if plan.attention:
        return [
            "        k, v = torch.cat((window_keys, k), 2), torch.cat((window_values, v), 2)",
            "        with torch.autocast(x.device.type, enabled=False):",
            "            o = window_attention(q, k, v, position)",
            "        window_keys, window_values = k[:, :, T:], v[:, :, T:]",
        ]
    arguments = ["q", "k", *(["e"] if plan.erase else []), "v", *(["g"] if plan.decay != "none" else []), "memory"]
    return [
        "        with torch.autocast(x.device.type, enabled=False):",
        f"            o, memory = recurrence({', '.join(arguments)})",
    ]


def _alternating_text() -> list[str]:
    return [
        "class Mixer(nn.Module):",
        '    """Every second layer is sliding-window attention, the others the recurrence."""',
        "",
        "    def __init__(self, hidden_size, num_heads, layer_index=0, num_layers=1):",
        "        super().__init__()",
        "        layer = WindowLayer if layer_index % 2 else RecurrentLayer",
        "        self.layer = layer(hidden_size, num_heads, layer_index, num_layers)",
        "",
        "    def forward(self, x, state=None):",
        "        return self.layer(x, state)",
    ]

"""Text of a layer's inputs: the fused projection, the short convolution, queries, keys, values, decay and write
strengths.

Shapes in the text: B batch, T tokens, H heads, K and V per head. The recurrence works on [B, H, T, K]; the paths
around it on [B, T, H, V].
"""

from __future__ import annotations

from asi_kernels.generate.plan import Plan

DECAY_FLOOR = 5
"""A log-decay is never below -DECAY_FLOOR a token (alpha >= 0.0067): the vector form's exponents stay within the float
range by it.
"""
FLOOR = f"-{DECAY_FLOOR}.0, -{DECAY_FLOOR}.0"
"""Bound and replacement for F.threshold: max(g, -5), by the operator whose gradient is the cheapest."""
LOG_FLOOR = f"-math.log({DECAY_FLOOR}.0), -math.log({DECAY_FLOOR}.0)"
"""The same for -exp(u), on -u."""


def input_modules(plan: Plan) -> list[str]:
    """Lines of `__init__` for the inputs."""
    names = ", ".join(part.name for part in plan.parts)
    lines = [
        f"        # One projection for all inputs: {names}.",
        f"        self.widths = [{', '.join(part.width for part in plan.parts)}]",
        "        self.project = nn.Linear(hidden_size, sum(self.widths), bias=False)",
    ]
    if plan.convolution:
        convolved = " + ".join(part.width for part in plan.parts if part.convolved)
        lines.append(f"        self.conv = short_convolution_weight({convolved}, {plan.genome['shortConv']['kernel']})")
    lines += _decay_modules(plan)
    if plan.rope:
        lines += [
            "        if key_dim % 2:",
            '            raise ValueError(f"key_dim is {key_dim}: rotary positions need an even one")',
        ]
    return lines


def _decay_modules(plan: Plan) -> list[str]:
    kind, param = plan.genome["decay"]["kind"], plan.genome["decay"]["param"]
    width = "heads" if plan.decay == "scalar" else "heads * key_dim"
    if kind == "vector-const":
        return [
            "        # Learned rates per channel, spread over horizons from 2 to about 150 tokens.",
            "        self.log_rate = nn.Parameter(torch.linspace(-5.0, -0.7, key_dim).repeat(heads, 1))",
        ]
    if not plan.decay_from_data:
        return []
    if param == "softplus":
        return [
            "        # Steps log-uniform in [0.001, 0.1], rates uniform in [1, 16]: horizons from 1 to 1,000 tokens.",
            f"        step = torch.exp(torch.rand({width}) * math.log(100.0) + math.log(0.001))",
            "        self.decay_bias = nn.Parameter(step + torch.log(-torch.expm1(-step)))",
            "        self.log_rate = nn.Parameter(torch.log(torch.rand(heads) * 15.0 + 1.0))",
        ]
    if param == "bounded-sigmoid":
        return [
            "        # The bias opens the gates: log-decays from -0.005 to -0.5 a token.",
            f"        self.decay_bias = nn.Parameter(torch.linspace(-7.0, -2.2, {width}))",
            "        self.log_rate = nn.Parameter(torch.zeros(heads))",
        ]
    if param == "double-exp":
        return [
            "        # The bias opens the gates: log-decays from -0.005 to -0.5 a token.",
            f"        self.decay_bias = nn.Parameter(torch.linspace(-5.3, -0.7, {width}))",
        ]
    return []


def input_lines(plan: Plan) -> list[str]:
    """Lines of `forward` from x to the arguments of the core (the recurrence or the window)."""
    lines = ["        B, T, _ = x.shape", "        H, K, V = self.heads, self.key_dim, self.value_dim"]
    lines += _projection_lines(plan)
    wide = "        wide = torch.promote_types(x.dtype, torch.float32)  # the recurrence never runs below float32"
    lines.append(wide)
    lines += _decay_lines(plan)
    lines += _query_key_value_lines(plan)
    lines += _write_lines(plan)
    return lines


def _projection_lines(plan: Plan) -> list[str]:
    names = ", ".join(part.name for part in plan.parts)
    if not plan.convolution:
        return [f"        {names} = self.project(x).split(self.widths, -1)"]
    convolved = [part.name for part in plan.parts if part.convolved]
    rest = [part.name for part in plan.parts if not part.convolved]
    count = len(convolved)
    lines = ["        projected = self.project(x)"]
    if rest:
        lines = [
            f"        taps = sum(self.widths[:{count}])",
            f"        shaped, {', '.join(rest)} = self.project(x).split([taps, *self.widths[{count}:]], -1)",
        ]
    else:
        lines = ["        shaped = self.project(x)"]
    lines += ["        shaped, conv_tail = causal_convolution(shaped, self.conv, conv_tail)"]
    if count == 1:
        return [*lines, f"        {convolved[0]} = F.silu(shaped)"]
    return [*lines, f"        {', '.join(convolved)} = F.silu(shaped).split(self.widths[:{count}], -1)"]


def _decay_lines(plan: Plan) -> list[str]:
    kind, param = plan.genome["decay"]["kind"], plan.genome["decay"]["param"]
    if kind == "scalar-const":
        return [
            "        # gamma = 1 - 2^(-5 - h): a fixed horizon per head, from 32 tokens up.",
            "        gamma = 1.0 - 2.0 ** (-5.0 - torch.arange(H, dtype=wide, device=x.device))",
            "        g = torch.log(gamma)[None, :, None].expand(1, H, T)",
        ]
    if kind == "vector-const":
        floored = f"F.threshold(-torch.exp(self.log_rate.to(wide)), {FLOOR})"
        return [f"        g = {floored}[None, :, None].expand(1, H, T, K)"]
    if kind == "none":
        return []
    vector = plan.decay == "vector"
    rate = []
    if param in ("softplus", "bounded-sigmoid"):
        repeated = ".repeat_interleave(K)" if vector else ""
        rate = [f"        rate = torch.exp(self.log_rate.to(wide)){repeated}"]
    formula = {
        "logsigmoid": f"F.threshold(F.logsigmoid(decay) / 16.0, {FLOOR})",
        "softplus": f"F.threshold(-rate * F.softplus(decay + self.decay_bias), {FLOOR})",
        "bounded-sigmoid": f"-{DECAY_FLOOR}.0 * torch.sigmoid(rate * (decay + self.decay_bias))",
        "double-exp": f"-torch.exp(-F.threshold(-decay - self.decay_bias, {LOG_FLOOR}))",
    }[param]
    heads_first = "g.unflatten(-1, (H, K)).transpose(1, 2)" if vector else "g.transpose(1, 2)"
    return ["        decay = decay.to(wide)", *rate, f"        g = {formula}", f"        g = {heads_first}"]


def _query_key_value_lines(plan: Plan) -> list[str]:
    genome, n = plan.genome, plan.steps
    lines = ["        q = q.unflatten(-1, (H, K)).transpose(1, 2).to(wide)"]
    if plan.tied_key:
        lines.append("        k = 1.0 - torch.exp(g)")
    elif n > 1:
        lines.append(
            f"        k = k.unflatten(-1, ({n}, H, K)).permute(0, 3, 1, 2, 4).flatten(2, 3).to(wide)  # [B, H, {n}T, K]"
        )
    else:
        lines.append("        k = k.unflatten(-1, (H, K)).transpose(1, 2).to(wide)")
    if n > 1:
        lines += [
            f"        v = v.unflatten(-1, ({n}, H, V))",
            "        value = v[:, :, -1]  # what the paths around the state see",
            "        v = v.permute(0, 3, 1, 2, 4).flatten(2, 3).to(wide)",
        ]
    else:
        lines += ["        value = v.unflatten(-1, (H, V))", "        v = value.transpose(1, 2).to(wide)"]
    shaped = ["q"] if plan.tied_key else ["q", "k"]
    for name in shaped:
        lines += _feature_lines(plan, name) + _norm_lines(genome["qkNorm"], name)
    if plan.rope:
        lines.append("        turns = self.turns(position, T, wide)")
        lines.append("        q = rotate(q, *turns)")
        if n > 1:
            lines.append(f"        k = rotate(k, *(turn.repeat_interleave({n}, 0) for turn in turns))")
        else:
            lines.append("        k = rotate(k, *turns)")
    last = f"k[:, :, {n - 1}::{n}]" if n > 1 else "k"
    if genome["readout"] == "query-correction":
        lines.append(f"        q = q - self.correction.to(wide)[:, None, None] * {last}")
    if genome["scale"] == "inverse-sqrt" and not plan.attention:
        lines.append("        q = q * K**-0.5")
    if genome["readout"] == "bonus":
        lines += [
            f"        bonus = (q * {last} * self.bonus.to(wide)[:, None]).sum(-1)",
            "        bonus = bonus.transpose(1, 2).unsqueeze(-1) * value",
        ]
    return lines


def _feature_lines(plan: Plan, name: str) -> list[str]:
    convolved = any(part.name == name and part.convolved for part in plan.parts)
    kind = plan.genome["featureMap"]
    # The convolution already ends in a SiLU; a SiLU feature map is that one, not a second.
    if kind == "identity" or (kind == "silu" and convolved):
        return []
    formula = {
        "silu": f"F.silu({name})",
        "relu": f"torch.relu({name})",
        "elu-plus-one": f"F.elu({name}) + 1.0",
        "softmax": f"torch.softmax({name}, -1)",
        "square": f"{name} * {name}",
    }[kind]
    return [f"        {name} = {formula}"]


def _norm_lines(kind: str, name: str) -> list[str]:
    if kind == "none":
        return []
    if kind == "l2":
        return [f"        {name} = {name} * torch.rsqrt(({name} * {name}).sum(-1, keepdim=True) + 1e-6)"]
    if kind == "rms":
        return [f"        {name} = {name} * torch.rsqrt(({name} * {name}).mean(-1, keepdim=True) + 1e-6)"]
    return [f"        {name} = {name} / ({name}.sum(-1, keepdim=True) + 1e-6)"]


def _write_lines(plan: Plan) -> list[str]:
    write, n = plan.genome["write"], plan.steps
    if plan.attention:
        return []
    if write["kind"] == "decoupled-erase":
        return [
            "        # Per channel: what to erase of the old, and how much of the new to write.",
            "        e = torch.sigmoid(erase.to(wide)).unflatten(-1, (H, K)).transpose(1, 2) * k",
            "        v = torch.sigmoid(strength.to(wide)).unflatten(-1, (H, V)).transpose(1, 2) * v",
        ]
    if write["beta"] == "one":
        return ["        e = k"] if plan.erase else []
    scale = "2.0 * " if write["beta"] == "double-sigmoid" else ""
    by_head = "beta.transpose(1, 2)" if n == 1 else f"beta.unflatten(-1, ({n}, H)).permute(0, 3, 1, 2).flatten(2)"
    lines = [f"        beta = {by_head}.to(wide)", f"        beta = {scale}torch.sigmoid(beta).unsqueeze(-1)"]
    if not plan.erase:
        return [*lines, "        v = beta * v"]
    return [*lines, "        e, v = beta * k, beta * v"]

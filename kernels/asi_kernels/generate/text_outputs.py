"""Text of a layer's outputs: bonus, value mix, FIR branches with their router, norm, gate and the last projection; and
of the window core.
"""

from __future__ import annotations

from asi_kernels.generate.plan import Plan


def output_modules(plan: Plan) -> list[str]:
    """Lines of `__init__` for what follows the core."""
    genome, lines = plan.genome, []
    if genome["readout"] == "query-correction":
        lines.append("        self.correction = nn.Parameter(torch.full((heads,), 0.02))")
    if genome["readout"] == "bonus":
        lines.append("        self.bonus = nn.Parameter(torch.full((heads, key_dim), 0.5))")
    if genome["valueMix"] == "sigmoid-mix":
        lines.append(
            "        self.mix_bias = nn.Parameter(torch.full((heads,), 1.0))  # starts with most weight on the state"
        )
    if genome["valueMix"] == "skip":
        lines.append("        self.skip = nn.Parameter(torch.ones(heads))")
    for kernel in plan.fir:
        lines.append(f"        self.fir_{kernel} = near_identity_weight(heads * value_dim, {kernel})")
    if genome["router"] != "none":
        initial = (
            f"torch.full((heads, {len(plan.fir) + 1}), 0.5)"
            if genome["router"] == "static"
            else f"torch.zeros(heads, {len(plan.fir) + 1})"
        )
        lines.append(
            f"        self.{'route' if genome['router'] == 'static' else 'route_bias'} = nn.Parameter({initial})"
        )
    if genome["output"]["norm"] == "rms":
        lines.append("        self.norm_weight = nn.Parameter(torch.ones(value_dim))")
    if genome["output"]["norm"] in ("group", "layer"):
        lines.append("        self.norm_weight = nn.Parameter(torch.ones(heads * value_dim))")
        lines.append("        self.norm_bias = nn.Parameter(torch.zeros(heads * value_dim))")
    if genome["output"]["gate"] == "low-rank":
        lines.append("        self.gate_up = nn.Linear(head_dim, heads * value_dim)")
    return [*lines, "        self.out = nn.Linear(heads * value_dim, hidden_size, bias=False)"]


def output_lines(plan: Plan) -> list[str]:
    """Lines of `forward` from the core's o [B, H, T, V] to y."""
    genome = plan.genome
    lines = ["        o = o.transpose(1, 2).to(value.dtype)  # [B, T, H, V]"]
    if genome["readout"] == "bonus":
        lines.append("        o = o + bonus.to(value.dtype)")
    if genome["valueMix"] == "sigmoid-mix":
        lines.append("        mix = torch.sigmoid(mix + self.mix_bias).unsqueeze(-1).to(value.dtype)")
        lines.append("        o = torch.lerp(value, o, mix)")
    if genome["valueMix"] == "skip":
        lines.append("        o = o + self.skip.to(value.dtype)[:, None] * value")
    if plan.fir:
        lines += _router_lines(plan)
    lines += _norm_lines(genome["output"]["norm"])
    gate = genome["output"]["gate"]
    if gate == "silu":
        lines.append("        o = o * F.silu(gate)")
    elif gate == "sigmoid":
        lines.append("        o = o * torch.sigmoid(gate)")
    elif gate == "low-rank":
        lines.append("        o = o * torch.sigmoid(self.gate_up(gate))")
    state = ", ".join(plan.state_names)
    return [
        *lines,
        f"        return self.out(o), ({state})" if "," in state else f"        return self.out(o), ({state},)",
    ]


def _router_lines(plan: Plan) -> list[str]:
    longest, count, router = plan.longest_fir, len(plan.fir) + 1, plan.genome["router"]
    lines = [
        "        # Causal filters over the values, each beside the recurrence.",
        "        joined = torch.cat((fir_tail.to(value.dtype), value.flatten(2)), 1)",
        f"        fir_tail = joined[:, T:]  # the last {longest - 1} values",
    ]
    for kernel in plan.fir:
        past = "joined" if kernel == longest else f"joined[:, {longest - kernel}:]"
        lines.append(f"        path_{kernel} = depthwise({past}, self.fir_{kernel}).unflatten(-1, (H, V))")
    paths = [f"path_{kernel}" for kernel in plan.fir]
    if router == "static":
        lines.append("        route = self.route.to(value.dtype)")
        weights = [f"route[:, {index}, None]" for index in range(count)]
    else:
        lines.append(f"        route = route.unflatten(-1, (H, {count})) + self.route_bias")
        weights = [f"route[..., {index}, None]" for index in range(count)]
    if router == "softmax":
        lines.append("        route = torch.softmax(route, -1).to(value.dtype)")
    if router == "sigmoid":
        lines.append("        route = torch.sigmoid(route).to(value.dtype)")
    if router == "two-stage":
        lines += [
            "        # First the state against the paths, then the paths among themselves.",
            "        share = torch.sigmoid(route[..., :1]).to(value.dtype)",
            "        among = torch.softmax(route[..., 1:], -1).to(value.dtype)",
        ]
        return [
            *lines,
            *_weighed_sum("beside", [(f"among[..., {index}, None]", path) for index, path in enumerate(paths)]),
            "        o = torch.lerp(beside, o, share)",
        ]
    return [*lines, *_weighed_sum("o", list(zip(weights, ["o", *paths], strict=True)))]


def _weighed_sum(target: str, terms: list[tuple[str, str]]) -> list[str]:
    (weight, path), *rest = terms
    first = f"        {target} = {weight} * {path}"
    return [first, *(f"        {target} = torch.addcmul({target}, {weight}, {path})" for weight, path in rest)]


def _norm_lines(kind: str) -> list[str]:
    if kind == "none":
        return ["        o = o.flatten(2)"]
    if kind == "rms":
        return ["        o = F.rms_norm(o, (V,), self.norm_weight.to(o.dtype), 1e-5).flatten(2)"]
    if kind == "group":
        return ["        o = F.layer_norm(o, (V,), eps=1e-5).flatten(2) * self.norm_weight + self.norm_bias"]
    return ["        o = F.layer_norm(o.flatten(2), (H * V,), self.norm_weight, self.norm_bias, 1e-5)"]


def window_text() -> list[str]:
    """Text of the function `window_attention`."""
    return [
        "def window_attention(q, k, v, position):",
        '    """Softmax attention of each token over itself and the WINDOW - 1 tokens before it, by blocks of queries.',
        "",
        "    q [B, H, T, K]; k [B, H, WINDOW + T, K] and v [B, H, WINDOW + T, V] begin with the WINDOW tokens before;",
        "    position: how many tokens there were before, in all.",
        '    """',
        "    length = q.shape[2]",
        "    block = min(WINDOW, length)",
        "    missing = -length % block",
        "    q, k, v = (F.pad(t, (0, 0, 0, missing)) for t in (q, k, v))",
        "    q = q.unflatten(2, (-1, block))  # [B, H, N, block, K]",
        "    k = k.unfold(2, WINDOW + block, block)  # [B, H, N, K, WINDOW + block]",
        "    v = v.unfold(2, WINDOW + block, block).transpose(-1, -2)",
        "    slots = torch.arange(WINDOW + block, device=q.device)",
        "    ago = torch.arange(block, device=q.device)[:, None] + WINDOW - slots",
        "    starts = torch.arange(0, length, block, device=q.device)[:, None, None]",
        "    exists = position + starts - WINDOW + slots >= 0  # [N, 1, WINDOW + block]",
        "    visible = (ago >= 0) & (ago < WINDOW) & exists",
        "    scores = (q * q.shape[-1] ** -0.5) @ k",
        "    o = torch.softmax(scores.masked_fill(~visible, -math.inf), -1) @ v",
        "    return o.flatten(2, 3)[:, :, :length]",
    ]

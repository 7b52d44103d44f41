"""Text of the function `recurrence` in a program: the chunkwise form of the recurrence, specialised to a genome's switches.

With the in-chunk cumulative log-decay g (inclusive) and the state S_0 that enters a chunk (science of the chunkwise form: DeltaNet
arXiv 2406.06484, Gated DeltaNet 2412.06464, KDA 2510.26692):

    A_ij = e_i . (k_j exp(g_i - g_j))  for i > j        P_ij = q_i . (k_j exp(g_i - g_j))  for i >= j
    (I + A) [W, U] = [e exp(g), x]                      pseudo-writes of the chunk without and with S_0: U - W S_0
    O   = (q exp(g) - P W) S_0 + P U
    S_C = (Diag(exp(g_C)) - K~^T W) S_0 + K~^T U        K~_j = k_j exp(g_C - g_j)

so the only sequential part is one small matrix product a chunk. Additive models have W = 0 and U = x.
"""

from __future__ import annotations

from asi_kernels.generate.plan import Plan

CHUNK_TOKENS = 32
SUB_BLOCK_TOKENS = 8


def recurrence_constants(plan: Plan) -> list[str]:
    lines = [f"CHUNK = {CHUNK_TOKENS}  # tokens handled at once by matrix products"]
    if plan.decay == "vector":
        lines.append(
            f"BLOCK = {SUB_BLOCK_TOKENS}  # rows of a chunk that share one anchor of the decay; with g >= -5 a token, exp stays below exp(5 * BLOCK)"
        )
    return lines


def recurrence_text(plan: Plan) -> list[str]:
    return [*_in_chunks_text(), "", "", *_head(plan), *_chunking(plan), *_scores(plan), *_states(plan), *_result()]


def _in_chunks_text() -> list[str]:
    return [
        "def in_chunks(t, chunk):",
        '    """[B, H, T, D] -> [B, H, N, chunk, D]; zeros fill the tail: they neither decay, erase nor write."""',
        "    missing = -t.shape[2] % chunk",
        "    if missing:",
        "        t = F.pad(t, (0, 0, 0, missing))",
        "    return t.reshape(t.shape[0], t.shape[1], -1, chunk, t.shape[3])",
    ]


def _head(plan: Plan) -> list[str]:
    names = ["q", "k", *(["e"] if plan.erase else []), "x", *(["g"] if plan.decay != "none" else []), "memory"]
    decayed = {"none": "S", "scalar": "exp(g_t) S", "vector": "Diag(exp(g_t)) S"}[plan.decay]
    rows = "T" if plan.steps == 1 else f"{plan.steps}T"
    if not plan.erase:
        law = f"S_t = {decayed}_(t-1) + k_t x_t^T"
    elif plan.genome["write"]["eraseTime"] == "before-decay":
        law = f"S_t = {decayed}_(t-1) - k_t (e_t^T S_(t-1)) + k_t x_t^T"
    else:
        law = f"S_t = (I - k_t e_t^T) {decayed}_(t-1) + k_t x_t^T"
    shapes = f"q [B, H, T, K], k{' and e' if plan.erase else ''} [B, H, {rows}, K], x [B, H, {rows}, V]"
    if plan.decay != "none":
        first = "B" if plan.decay_from_data else "1"
        shapes += f", log-decay g [{first}, H, T{', K' if plan.decay == 'vector' else ''}]"
    lines = [
        f"def recurrence({', '.join(names)}):",
        f'    """{law};  o_t = q_t^T S_t, chunk by chunk.',
        "",
        f"    {shapes}, memory S [B, H, K, V].",
    ]
    if plan.steps > 1:
        lines.append(f"    A token makes {plan.steps} writes one after the other, decays before the first and is read after the last.")
    return [*lines, "    Returns o [B, H, T, V] and the memory after the last token.", '    """']


def _chunking(plan: Plan) -> list[str]:
    n = plan.steps
    rows = "chunk" if n == 1 else f"{n} * chunk"
    lines = ["    length = q.shape[2]"]
    if plan.decay == "vector":
        lines.append("    chunk = min(CHUNK, length + -length % BLOCK)")
    else:
        lines.append("    chunk = min(CHUNK, length)")
    lines += ["    q = in_chunks(q, chunk)", f"    k, x = in_chunks(k, {rows}), in_chunks(x, {rows})"]
    if plan.erase:
        lines.append(f"    e = in_chunks(e, {rows})")
    if plan.decay == "scalar":
        lines.append("    g = in_chunks(g.unsqueeze(-1), chunk).cumsum(3)  # [., H, N, chunk, 1]")
    if plan.decay == "vector":
        lines.append("    g = in_chunks(g, chunk).cumsum(3)  # [., H, N, chunk, K]")
    return lines


def _scores(plan: Plan) -> list[str]:
    """Lines that make attend (P), and erased (A), w and u when the write erases; q and e leave with the decay since the chunk's start in them."""
    score = {"none": _scores_plain, "scalar": _scores_scalar, "vector": _scores_vector}[plan.decay](plan)
    if not plan.erase:
        return score
    return [
        *score,
        "    # (I + A) [w, u] = [e, x]: what each write adds, given the writes before it in its chunk.",
        "    solved = torch.linalg.solve_triangular(erased, torch.cat((e, x), -1), upper=False, unitriangular=True)",
        "    w, u = solved.split([e.shape[-1], x.shape[-1]], -1)",
    ]


def _token_mask(plan: Plan) -> list[str]:
    """For several writes a token: which writes (columns) a token (row) has seen."""
    return [
        f"    seen = torch.arange({plan.steps} * chunk, device=q.device) // {plan.steps} <= torch.arange(chunk, device=q.device)[:, None]",
    ]


def _scores_plain(plan: Plan) -> list[str]:
    lines = []
    if plan.steps > 1:
        lines += [*_token_mask(plan), "    attend = (q @ k.transpose(-1, -2)).masked_fill(~seen, 0.0)"]
    else:
        lines.append("    attend = (q @ k.transpose(-1, -2)).tril()")
    if plan.erase:
        lines.append("    erased = (e @ k.transpose(-1, -2)).tril(-1)")
    return lines


def _scores_scalar(plan: Plan) -> list[str]:
    n, before = plan.steps, plan.genome["write"]["eraseTime"] == "before-decay"
    lines = []
    if n > 1:
        lines += [
            *_token_mask(plan),
            f"    later = g.repeat_interleave({n}, 3)  # the decay of each write's token",
            "    decay = (g - later.transpose(-1, -2)).masked_fill(~seen, -math.inf).exp()  # exponents never above 0",
        ]
    else:
        lines += [
            "    causal = torch.ones(chunk, chunk, dtype=torch.bool, device=q.device).tril()",
            "    decay = (g - g.transpose(-1, -2)).masked_fill(~causal, -math.inf).exp()  # exponents never above 0",
        ]
    lines.append("    attend = (q @ k.transpose(-1, -2)) * decay")
    if plan.erase and n > 1:
        lines.append(f"    erased = (e @ k.transpose(-1, -2)).tril(-1) * decay.repeat_interleave({n}, 3)")
    elif plan.erase and before:
        lines += [
            "    earlier = F.pad(g[:, :, :, :-1], (0, 0, 1, 0))  # the erase acts before its token's decay",
            "    past = (earlier - g.transpose(-1, -2)).masked_fill(~causal.tril(-1), -math.inf).exp()",
            "    erased = (e @ k.transpose(-1, -2)) * past",
        ]
    elif plan.erase:
        lines.append("    erased = (e @ k.transpose(-1, -2)).tril(-1) * decay")
    lines += [
        "    carry = g[:, :, :, -1:].exp()  # [., H, N, 1, 1]",
        "    q = q * g.exp()",
        f"    k = k * (g[:, :, :, -1:] - {'later' if n > 1 else 'g'}).exp()",
    ]
    if plan.erase:
        lines.append(f"    e = e * {'later' if n > 1 else 'earlier' if before else 'g'}.exp()")
    return lines


def _scores_vector(plan: Plan) -> list[str]:
    n, before = plan.steps, plan.genome["write"]["eraseTime"] == "before-decay"
    row, per_row = ("g", "BLOCK") if n == 1 else ("later", f"{n} * BLOCK")
    lines = []
    if n > 1:
        lines += [*_token_mask(plan), f"    later = g.repeat_interleave({n}, 3)  # the decay of each write's token"]
    lines += [
        "    # Rows of one block share an anchor, the decay at the block's start: never a future one.",
        "    anchor = F.pad(g, (0, 0, 1, 0))[:, :, :, :-1:BLOCK].unsqueeze(4)  # [., H, N, R, 1, K]",
        f"    reach = (anchor - {row}.unsqueeze(3)).clamp(max=5.0 * BLOCK).exp()  # [., H, N, R, writes, K]",
        "    k_reach = (k.unsqueeze(3) * reach).transpose(-1, -2)",
        "    fade = (g.unflatten(3, (-1, BLOCK)) - anchor).exp()  # [., H, N, R, BLOCK, K]",
        "    attend = ((q.unflatten(3, (-1, BLOCK)) * fade) @ k_reach).flatten(3, 4)",
        "    attend = attend.masked_fill(~seen, 0.0)" if n > 1 else "    attend = attend.tril()",
    ]
    if plan.erase:
        source = "g"
        if before:
            lines.append("    earlier = F.pad(g[:, :, :, :-1], (0, 0, 1, 0))  # the erase acts before its token's decay")
            source = "earlier"
        if n > 1:
            source = "later"
        if source != "g":
            lines.append(f"    fade = ({source}.unflatten(3, (-1, {per_row})) - anchor).exp()")
        lines.append(f"    erased = ((e.unflatten(3, (-1, {per_row})) * fade) @ k_reach).flatten(3, 4).tril(-1)")
        lines.append(f"    e = e * {source}.exp()")
    lines += [
        "    carry = g[:, :, :, -1:].exp().transpose(-1, -2)  # [., H, N, K, 1]",
        "    q = q * g.exp()",
        f"    k = k * (g[:, :, :, -1:] - {row}).exp()",
    ]
    return lines


def _states(plan: Plan) -> list[str]:
    """Lines that make states, what enters each chunk, and memory, what leaves the last; and the parts of the output."""
    lines = ["    # One small matrix product a chunk is all that runs in sequence."] if plan.erase else []
    lines.append(f"    added = k.transpose(-1, -2) @ {'u' if plan.erase else 'x'}")
    if plan.erase:
        lines.append("    kept = k.transpose(-1, -2) @ w")
        if plan.decay == "none":
            lines.append("    kept = torch.eye(k.shape[-1], dtype=k.dtype, device=k.device) - kept")
        else:
            lines.append("    kept = carry * torch.eye(k.shape[-1], dtype=k.dtype, device=k.device) - kept")
        step, items, variables = "fade @ memory + add", "zip(kept.unbind(2), added.unbind(2))", "fade, add"
    elif plan.decay == "none":
        step, items, variables = "memory + add", "added.unbind(2)", "add"
    else:
        step, items, variables = "fade * memory + add", "zip(carry.unbind(2), added.unbind(2))", "fade, add"
    lines += [
        "    states = []",
        f"    for {variables} in {items}:",
        "        states.append(memory)",
        f"        memory = {step}",
        "    states = torch.stack(states, 2)",
    ]
    if plan.erase:
        return [*lines, "    o = (q - attend @ w) @ states + attend @ u"]
    return [*lines, "    o = q @ states + attend @ x"]


def _result() -> list[str]:
    return ["    return o.flatten(2, 3)[:, :, :length], memory"]

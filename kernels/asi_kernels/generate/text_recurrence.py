"""Text of a program's recurrence: the chunkwise form with its gradients written out, specialised to a genome's
switches.

With the in-chunk cumulative log-decay g (inclusive), the state S that enters a chunk of C tokens, and K~_j = k_j
exp(g_C - g_j) (DeltaNet arXiv 2406.06484, Gated DeltaNet 2412.06464, KDA 2510.26692):

    A_ij = e_i . (k_j exp(g_i - g_j))  for i > j        P_ij = q_i . (k_j exp(g_i - g_j))  for i >= j
    (I + A) [W, U0] = [e exp(g), x]                     U  = U0 - W S
    O  = (q exp(g) - P W) S + P U0                      S' = (Diag(exp(g_C)) - K~^T W) S + K~^T U0

so one small matrix product a chunk is all that runs in sequence. Additive models have W = 0 and U = x. Backward, from
dO and dS':

    dS = (Diag(exp(g_C)) - K~^T W)^T dS' + (q exp(g) - P W)^T dO
    (I + A)^T R = P^T dO + K~ dS'        dx = R        dA = -lower(R U^T)        dP = lower(dO U^T)
    d(e exp(g)) = -R S^T                 d(q exp(g)) = dO S^T                    dK~ = U dS'^T
    dg_i = q_i dq_i + e_i de_i - k_i dk_i,  and for the last token  + sum_j K~_j dK~_j + exp(g_C) (S . dS')

Only differences of g between a token and an earlier one are exponentiated, so nothing overflows. A vector decay is
split at anchors (the decay at the start of a block of rows, never a future one); keys of the row's own block then have
exponents up to 5 a token and row.
"""

from __future__ import annotations

from asi_kernels.generate.plan import Plan
from asi_kernels.generate.text_gradients import backward_lines

BLOCK_TOKENS = 8


def recurrence_constants(plan: Plan) -> list[str]:
    if plan.decay != "vector":
        return ["CHUNK = 32  # tokens handled at once by matrix products"]
    return [
        "CHUNK = 16  # tokens handled at once by matrix products",
        f"BLOCK = {BLOCK_TOKENS}  # rows of a chunk that share an anchor of the decay: exponents stay below 5 * BLOCK",
    ]


def recurrence_text(plan: Plan) -> list[str]:
    """The functions `in_chunks` and `recurrence`, and the class `Recurrence` between them."""
    return [*_in_chunks_text(), "", "", *_class_text(plan), "", "", *_function_text(plan)]


def arguments(plan: Plan) -> list[str]:
    """Names of the recurrence's tensor arguments without the memory."""
    return ["q", "k", *(["e"] if plan.erase else []), "x", *(["g"] if plan.decay != "none" else [])]


def _in_chunks_text() -> list[str]:
    return [
        "def in_chunks(t, chunk):",
        '    """[B, H, T, D] -> [B, H, N, chunk, D]; zeros fill the tail: they neither decay, erase nor write."""',
        "    missing = -t.shape[2] % chunk",
        "    if missing:",
        "        t = F.pad(t, (0, 0, 0, missing))",
        "    return t.unflatten(2, (-1, chunk)).contiguous()",
    ]


def _law(plan: Plan) -> str:
    decayed = {"none": "S_(t-1)", "scalar": "exp(g_t) S_(t-1)", "vector": "Diag(exp(g_t)) S_(t-1)"}[plan.decay]
    if not plan.erase:
        return f"S_t = {decayed} + k_t x_t^T,  o_t = q_t^T S_t"
    if plan.erase_before_decay:
        return f"S_t = {decayed} - k_t (e_t^T S_(t-1)) + k_t x_t^T,  o_t = q_t^T S_t"
    return f"S_t = (I - k_t e_t^T) {decayed} + k_t x_t^T,  o_t = q_t^T S_t"


def _class_text(plan: Plan) -> list[str]:
    writes = "k and x" if not plan.erase else "k, e and x"
    lines = [
        "class Recurrence(torch.autograd.Function):",
        f'    """{_law(plan)}.',
        "",
        f"    q [B, H, N, C, K]: N chunks of C tokens; {writes} alike"
        + (f", with {plan.steps} rows a token;" if plan.steps > 1 else ";"),
    ]
    if plan.decay != "none":
        first = "B" if plan.decay_from_data else "1"
        lines.append(f"    log-decay g [{first}, H, N, C, {'K' if plan.decay == 'vector' else '1'}];")
    lines.append("    S [B, H, K, V]. Gradients are written out: exact, and cheaper than recorded ones.")
    return [
        *lines,
        '    """',
        "",
        "    @staticmethod",
        f"    def forward(ctx, {', '.join(arguments(plan))}, S):",
        *_indented(_forward_lines(plan)),
        "",
        "    @staticmethod",
        "    @torch.autograd.function.once_differentiable",
        "    def backward(ctx, d_o, d_S):",
        *_indented(backward_lines(plan, saved_names(plan), arguments(plan))),
    ]


def _indented(lines: list[str]) -> list[str]:
    return [f"        {line}" for line in lines]


def saved_names(plan: Plan) -> list[str]:
    """What the forward pass keeps for the backward pass, in order."""
    names = ["q", "k", "e" if plan.erase else "x"]
    names += ["attend", *(["inverse", "solved", "kept"] if plan.erase else []), "read", "states"]
    if plan.decay != "none":
        names += ["start", "to_end", "carry"]
        if plan.erase and plan.start_of_erase != "start":
            names.append(plan.start_of_erase)
    if plan.decay == "scalar":
        names += ["decay", *(["past"] if plan.erase and plan.decay_of_erase == "past" else [])]
    if plan.decay == "vector":
        names += [
            "near",
            "rows",
            "reach",
            "fade",
            *(["fade_erase"] if plan.erase and plan.start_of_erase != "start" else []),
        ]
    return names


def _forward_lines(plan: Plan) -> list[str]:
    scores = {"none": _plain_scores, "scalar": _scalar_scores, "vector": _vector_scores}[plan.decay](plan)
    k_end = "k" if plan.decay == "none" else "(k * to_end)"
    read = "q" if plan.decay == "none" else "q * start"
    lines = list(scores)
    if plan.erase:
        e_start = "e" if plan.decay == "none" else f"e * {plan.start_of_erase}"
        eye = "torch.eye({}, dtype=k.dtype, device=k.device)"
        lines += [
            "# What each write adds, given the writes before it in its chunk: solved = [w, u], u - w S.",
            f"eye = {eye.format('erased.shape[-1]')}.expand_as(erased)",
            "inverse = torch.linalg.solve_triangular(erased, eye, upper=False, unitriangular=True)",
            f"solved = inverse @ torch.cat(({e_start}, x), -1)",
            "K = k.shape[-1]",
            f"ends = {k_end}.mT @ solved",
            f"kept = {'' if plan.decay == 'none' else 'carry * '}{eye.format('K')} - ends[..., :K]",
            "added = ends[..., K:]",
            "seen_writes = attend @ solved",
            f"read = {read} - seen_writes[..., :K]",
        ]
    else:
        lines += [f"added = {k_end}.mT @ x", f"read = {read}"]
    step = "kept[:, :, n] @ S" if plan.erase else "S" if plan.decay == "none" else "carry[:, :, n] * S"
    lines += [
        "states = []  # what enters each chunk",
        "for n in range(q.shape[2]):",
        "    states.append(S)",
        f"    S = {step} + added[:, :, n]",
        "states = torch.stack(states, 2)",
        f"ctx.save_for_backward({', '.join(saved_names(plan))})",
    ]
    own = "seen_writes[..., K:]" if plan.erase else "attend @ x"
    return [*lines, f"return read @ states + {own}, S"]


def _seen_lines(plan: Plan) -> list[str]:
    """The mask of the writes (columns) that a token (row) has seen, where a token makes several."""
    return [
        "tokens = torch.arange(q.shape[3], device=q.device)",
        f"seen = tokens[:, None] >= tokens.repeat_interleave({plan.steps})  # [tokens, writes]",
    ]


def _plain_scores(plan: Plan) -> list[str]:
    if plan.steps == 1:
        lines = ["attend = (q @ k.mT).tril_()"]
    else:
        lines = [*_seen_lines(plan), "attend = (q @ k.mT).masked_fill_(~seen, 0.0)"]
    return lines + (["erased = (e @ k.mT).tril_(-1)"] if plan.erase else [])


def _scalar_scores(plan: Plan) -> list[str]:
    lines = _seen_lines(plan) if plan.steps > 1 else []
    lines += ["total = g.cumsum(3)  # since the chunk's start", *_later_and_earlier(plan)]
    zero = ".tril_()" if plan.steps == 1 else ".masked_fill_(~seen, 0.0)"
    lines += [
        f"decay = (total - {plan.total_of_writes}.mT).clamp_(max=0.0).exp_(){zero}",
        "attend = (q @ k.mT).mul_(decay)",
    ]
    if plan.erase_before_decay:
        lines.append("past = (earlier - total.mT).clamp_(max=0.0).exp_().tril_(-1)")
    elif plan.erase and plan.steps > 1:
        lines.append(f"past = decay.repeat_interleave({plan.steps}, 3)")
    if plan.erase:
        lines.append(f"erased = (e @ k.mT).mul_({plan.decay_of_erase}).tril_(-1)")
    return [*lines, *_edges(plan)]


def _vector_scores(plan: Plan) -> list[str]:
    lines = _seen_lines(plan) if plan.steps > 1 else []
    lines += [
        "upto = torch.ones(g.shape[3], g.shape[3], dtype=g.dtype, device=g.device).tril_()",
        "total = upto @ g  # since the chunk's start; as a product, cheaper than cumsum",
        *_later_and_earlier(plan),
        "# Scores by blocks of rows: row exp(total - anchor) against key exp(anchor - total).",
        "anchor = F.pad(total, (0, 0, 1, 0))[:, :, :, :-1:BLOCK].unsqueeze(4)  # [., H, N, R, 1, K]",
        f"reach = (anchor - {plan.total_of_writes}.unsqueeze(3)).clamp_(max=5.0 * BLOCK).exp_()",
        "near = k.unsqueeze(3) * reach",
        "fade = (total.unflatten(3, (-1, BLOCK)) - anchor).exp_()  # [., H, N, R, BLOCK, K]",
    ]
    zero = "tril_()" if plan.steps == 1 else "masked_fill_(~seen, 0.0)"
    if not plan.erase:
        lines += [
            "rows = q.unflatten(3, (-1, BLOCK)) * fade",
            f"attend = (rows @ near.mT).flatten(3, 4).{zero}",
        ]
        return [*lines, *_edges(plan)]
    block, fade = _erase_rows(plan), "fade"
    if plan.start_of_erase != "start":
        fade = "fade_erase"
        lines.append(f"fade_erase = ({plan.total_of_erase}.unflatten(3, (-1, {block})) - anchor).exp_()")
    lines += [
        f"rows = torch.cat((q.unflatten(3, (-1, BLOCK)) * fade, e.unflatten(3, (-1, {block})) * {fade}), 4)",
        f"attend, erased = (rows @ near.mT).split([BLOCK, {block}], 4)",
        f"attend, erased = attend.flatten(3, 4).{zero}, erased.flatten(3, 4).tril_(-1)",
    ]
    return [*lines, *_edges(plan)]


def _erase_rows(plan: Plan) -> str:
    return "BLOCK" if plan.steps == 1 else f"{plan.steps} * BLOCK"


def _later_and_earlier(plan: Plan) -> list[str]:
    if plan.steps > 1:
        return [f"later = total.repeat_interleave({plan.steps}, 3)  # the decay of each write's token"]
    if plan.erase_before_decay:
        return ["earlier = F.pad(total[:, :, :, :-1], (0, 0, 1, 0))  # the erase acts before its token's decay"]
    return []


def _edges(plan: Plan) -> list[str]:
    """Decay from the chunk's start to each row, from each write to the chunk's end, and over the whole chunk."""
    carry = "total[:, :, :, -1:].exp()" + (".mT" if plan.decay == "vector" else "")
    lines = ["start = total.exp()"]
    if plan.erase and plan.start_of_erase != "start":
        lines.append(f"{plan.start_of_erase} = {plan.total_of_erase}.exp()")
    return [*lines, f"to_end = (total[:, :, :, -1:] - {plan.total_of_writes}).exp_()", f"carry = {carry}"]


def _function_text(plan: Plan) -> list[str]:
    names, n = arguments(plan), plan.steps
    rows = "chunk" if n == 1 else f"{n} * chunk"
    lines = [
        f"def recurrence({', '.join(names)}, memory):",
        '    """From q [B, H, T, K] to o [B, H, T, V], for any T, and the memory after the last token."""',
        "    length = q.shape[2]",
        "    chunk = min(CHUNK, length + -length % BLOCK)"
        if plan.decay == "vector"
        else "    chunk = min(CHUNK, length)",
    ]
    wide = {"g": "g.unsqueeze(-1)" if plan.decay == "scalar" else "g"}
    if n == 1:
        items = ", ".join(wide.get(name, name) for name in names)
        lines.append(f"    chunks = (in_chunks(t, chunk) for t in ({items}))")
    else:
        items = [f"in_chunks({wide.get(name, name)}, {'chunk' if name in 'qg' else rows})" for name in names]
        lines.append(f"    chunks = ({', '.join(items)})")
    return [
        *lines,
        "    o, memory = Recurrence.apply(*chunks, memory)",
        "    return o.flatten(2, 3)[:, :, :length], memory",
    ]

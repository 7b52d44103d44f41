"""Text of the backward pass of a program's recurrence; the equations stand in `text_recurrence`."""

from __future__ import annotations

from asi_kernels.generate.plan import Plan


def backward_lines(plan: Plan, saved: list[str], names: list[str]) -> list[str]:
    """Lines of `Recurrence.backward(ctx, d_o, d_S)`; `names` are the arguments whose gradients it returns, in order."""
    gradients = [f"d_{name}" for name in names]
    if plan.genome["decay"]["kind"] == "scalar-const":
        gradients[-1] = "None"  # a fixed decay has no gradient
    return [
        f"{', '.join(saved)} = ctx.saved_tensors",
        *_state_gradients(plan),
        *_write_gradients(plan),
        *{"none": _plain_scores, "scalar": _scalar_scores, "vector": _vector_scores}[plan.decay](plan),
        *_decay_gradients(plan),
        f"return {', '.join(gradients)}, d_S",
    ]


def _state_gradients(plan: Plan) -> list[str]:
    step = "kept[:, :, n].mT @ d_S" if plan.erase else "d_S" if plan.decay == "none" else "carry[:, :, n] * d_S"
    return [
        "local = read.mT @ d_o",
        "leaving = []  # gradients of the state that leaves each chunk, from the last",
        "for n in reversed(range(q.shape[2])):",
        "    leaving.append(d_S)",
        f"    d_S = {step} + local[:, :, n]",
        "leaving = torch.stack(leaving[::-1], 2)",
    ]


def _write_gradients(plan: Plan) -> list[str]:
    k_end = "k" if plan.decay == "none" else "(k * to_end)"
    d_write = f"attend.mT @ d_o + {k_end} @ leaving"
    d_end = "x @ leaving.mT" if not plan.erase else "write @ leaving.mT"
    d_end = f"d_k_end = {d_end}" if plan.decay == "none" else f"d_k_end = ({d_end}).mul_(to_end)"
    if not plan.erase:
        return [f"d_x = {d_write}", d_end]
    return [
        "K = k.shape[-1]",
        "write = solved[..., K:] - solved[..., :K] @ states",
        f"d_x = inverse.mT @ ({d_write})",
        d_end,
    ]


def _zero_unseen(plan: Plan) -> tuple[list[str], str]:
    """Lines that make the mask of unseen writes, and the call that applies it."""
    if plan.steps == 1:
        return [], ".tril_()"
    return [
        "tokens = torch.arange(q.shape[3], device=q.device)",
        f"unseen = tokens[:, None] < tokens.repeat_interleave({plan.steps})",
    ], ".masked_fill_(unseen, 0.0)"


def _plain_scores(plan: Plan) -> list[str]:
    mask, zero = _zero_unseen(plan)
    if not plan.erase:
        return [
            *mask,
            f"d_attend = (d_o @ x.mT){zero}",
            "d_q = d_attend @ k + d_o @ states.mT",
            "d_k = d_attend.mT @ q + d_k_end",
        ]
    return [
        *mask,
        f"d_attend = (d_o @ write.mT){zero}",
        "d_erased = (d_x @ write.mT).tril_(-1)  # its negative, as is d_e until the sign turns",
        "d_q = d_attend @ k + d_o @ states.mT",
        "d_e = (d_erased @ k + d_x @ states.mT).neg_()",
        "d_k = d_attend.mT @ q - d_erased.mT @ e + d_k_end",
    ]


def _scalar_scores(plan: Plan) -> list[str]:
    if not plan.erase:
        return [
            "d_attend = (d_o @ x.mT).mul_(decay)",
            "d_q = (d_attend @ k).addcmul_(d_o @ states.mT, start)",
            "d_k = d_attend.mT @ q + d_k_end",
        ]
    return [
        "d_attend = (d_o @ write.mT).mul_(decay)",
        f"d_erased = (d_x @ write.mT).mul_({plan.decay_of_erase}).tril_(-1)  # its negative",
        "d_q = (d_attend @ k).addcmul_(d_o @ states.mT, start)",
        f"d_e = (d_erased @ k).addcmul_(d_x @ states.mT, {plan.start_of_erase}).neg_()",
        "d_k = d_attend.mT @ q - d_erased.mT @ e + d_k_end",
    ]


def _vector_scores(plan: Plan) -> list[str]:
    mask, zero = _zero_unseen(plan)
    if not plan.erase:
        return [
            f"d_scores = (d_o @ x.mT){zero}.unflatten(3, (-1, BLOCK))",
            "d_q = (d_scores @ near).mul_(fade).flatten(3, 4).addcmul_(d_o @ states.mT, start)",
            "d_k = ((d_scores.mT @ rows).mul_(reach)).sum(3) + d_k_end",
        ]
    block = "BLOCK" if plan.steps == 1 else f"{plan.steps} * BLOCK"
    fade = "fade" if plan.start_of_erase == "start" else "fade_erase"
    return [
        *mask,
        f"d_attend = (d_o @ write.mT){zero}.unflatten(3, (-1, BLOCK))",
        f"d_erased = (d_x @ write.mT).tril_(-1).neg_().unflatten(3, (-1, {block}))",
        "d_scores = torch.cat((d_attend, d_erased), 4)",
        f"d_q, d_e = (d_scores @ near).split([BLOCK, {block}], 4)",
        "d_q = (d_q * fade).flatten(3, 4).addcmul_(d_o @ states.mT, start)",
        f"d_e = (d_e * {fade}).flatten(3, 4).addcmul_(d_x @ states.mT, {plan.start_of_erase}, value=-1.0)",
        "d_k = ((d_scores.mT @ rows).mul_(reach)).sum(3) + d_k_end",
    ]


def _decay_gradients(plan: Plan) -> list[str]:
    """Lines that make d_g: through each row's cumulative decay, then summed over the tokens that a decay reaches."""
    kind = plan.genome["decay"]["kind"]
    if kind in ("none", "scalar-const"):
        return []
    if plan.decay == "vector":
        return _vector_decay_gradients(plan)
    n, erase = plan.steps, plan.erase
    lines = ["d_total = (q * d_q).sum(-1, keepdim=True)", "d_writes = (k * d_k).sum(-1, keepdim=True)"]
    lines += ["d_erase = (e * d_e).sum(-1, keepdim=True)"] if erase else []
    if n > 1:
        lines.append(f"d_total += (d_erase - d_writes).unflatten(3, (-1, {n})).sum(4)")
    elif plan.erase_before_decay:
        lines += ["d_total -= d_writes", "d_total[:, :, :, :-1] += d_erase[:, :, :, 1:]"]
    else:
        lines.append("d_total += d_erase - d_writes" if erase else "d_total -= d_writes")
    return [
        *lines,
        "ends = (k * d_k_end).sum((3, 4)) + carry.flatten(2) * (states * leaving).sum((3, 4))",
        "d_total[:, :, :, -1] += ends.unsqueeze(-1)",
        "d_g = d_total.flip(3).cumsum(3).flip(3)",
    ]


def _vector_decay_gradients(plan: Plan) -> list[str]:
    if plan.steps > 1:
        lines = [f"d_total = q * d_q + (e * d_e - k * d_k).unflatten(3, (-1, {plan.steps})).sum(4)"]
    elif plan.erase_before_decay:
        lines = ["d_total = q * d_q - k * d_k", "d_total[:, :, :, :-1] += (e * d_e)[:, :, :, 1:]"]
    elif plan.erase:
        lines = ["d_total = (q * d_q).addcmul_(e, d_e).addcmul_(k, d_k, value=-1.0)"]
    else:
        lines = ["d_total = (q * d_q).addcmul_(k, d_k, value=-1.0)"]
    lines += [
        "d_total[:, :, :, -1] += (k * d_k_end).sum(3) + (carry * states * leaving).sum(-1)",
        "C = d_total.shape[3]",
        "d_g = torch.ones(C, C, dtype=d_total.dtype, device=d_total.device).triu_() @ d_total",
    ]
    return [*lines, *(["d_g = d_g.sum(0, keepdim=True)"] if not plan.decay_from_data else [])]

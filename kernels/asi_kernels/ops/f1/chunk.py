"""The F1 recurrence a chunk of tokens at a time, in plain PyTorch: matrix products inside a chunk, one small product
from chunk to chunk.

With the in-chunk cumulative log-decay g (inclusive), the state S_0 that enters the chunk and C its last token
(DeltaNet arXiv 2406.06484 section 3, Gated DeltaNet 2412.06464 section 3.3, KDA 2510.26692 section 3):

    A_ij = sum_d e_id k_jd exp(g_id - g_jd)  for i > j        P_ij = sum_d q_id k_jd exp(g_id - g_jd)  for i >= j
    (I + A) [W, U] = [e exp(g), x]                            O   = (q exp(g) - P W) S_0 + P U
    K~_j = k_j exp(g_C - g_j)                                 S_C = (Diag(exp(g_C)) - K~^T W) S_0 + K~^T U

Without erase W is 0 and U is x. An erase before the decay has the cumulative decay of the token before in the rows of
A and W.

Stability: only differences of g that are at most 0 are exponentiated, so nothing overflows however strong the decay. A
scalar decay leaves the sum over d; a vector decay is split at anchors, the cumulative decay at the start of a block of
rows: exp(g_i - anchor) and exp(anchor - g_j) are both at most 1 for keys of earlier blocks; keys of the row's own
block take the difference itself. An anchor lies in the past of every row that uses it, so no output depends on a later
token, not even in its rounding. The cumulative sums are float64: after a decay of -800 a float32 sum would no longer
tell the weak decays of the tokens that follow.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from asi_kernels.ops.f1.inputs import F1Inputs

BLOCK_TOKENS = 8


@dataclass(frozen=True)
class _Chunks:
    """Inputs cut into N chunks of C tokens, [B, H, N, C, .]; None as in F1Inputs."""

    q: Tensor
    k: Tensor
    x: Tensor
    e: Tensor | None
    g: Tensor | None
    """float64, cumulative within a chunk, 1 or K channels."""
    g_erase: Tensor | None
    """The cumulative decay that an erase reads through: g, or that of the token before."""


def recurrence(inputs: F1Inputs, chunk_tokens: int = 32) -> tuple[Tensor, Tensor]:
    """Outputs o [B, T, H, V] and the last state [B, H, K, V], equal to `naive.recurrence` up to rounding, for any
    chunk_tokens >= 1.

    Raises ValueError for chunk_tokens below 1.
    """
    if chunk_tokens < 1:
        raise ValueError(f"chunk_tokens is {chunk_tokens}; it must be at least 1")
    T = inputs.q.shape[1]
    if T == 0:
        return inputs.x.new_zeros(inputs.x.shape), inputs.first_state()
    chunks = _cut(inputs, min(chunk_tokens, T))
    attend = _scores(chunks.q, chunks.k, chunks.g, chunks.g).tril()
    k_end, read, carry, write = chunks.k, chunks.q, chunks.q.new_ones(()), chunks.x
    if chunks.g is not None:
        k_end = _decayed(chunks.k, chunks.g[..., -1:, :] - chunks.g)
        read = _decayed(chunks.q, chunks.g)
        carry = chunks.g[..., -1, :].exp().to(read.dtype).unsqueeze(-1)  # [B, H, N, 1 or K, 1]
    fade = carry
    if chunks.e is not None:
        w, write = _erased_writes(chunks)
        eye = torch.eye(k_end.shape[-1], dtype=k_end.dtype, device=k_end.device)
        fade = carry * eye - k_end.mT @ w
        read = read - attend @ w
    states, last = _carry_states(inputs.first_state(), fade, k_end.mT @ write)
    o = read @ states + attend @ write
    return o.flatten(2, 3)[:, :, :T].transpose(1, 2), last


def _cut(inputs: F1Inputs, chunk_tokens: int) -> _Chunks:
    """Zeros fill the last chunk: a padded token neither decays, erases nor writes, so the last state is that of the
    last real token.
    """

    def cut(t: Tensor) -> Tensor:
        t = F.pad(t, (0, 0, 0, 0, 0, -t.shape[1] % chunk_tokens))
        return t.unflatten(1, (-1, chunk_tokens)).permute(0, 3, 1, 2, 4)

    g = g_erase = None
    if inputs.log_alpha is not None:
        log_alpha = inputs.log_alpha if inputs.vector_decay else inputs.log_alpha.unsqueeze(-1)
        g = cut(log_alpha.double()).cumsum(3)
        g_erase = g if inputs.erase_time == "after-decay" else F.pad(g[..., :-1, :], (0, 0, 1, 0))
    e = None if inputs.e is None else cut(inputs.e)
    return _Chunks(cut(inputs.q), cut(inputs.k), cut(inputs.x), e, g, g_erase)


def _decayed(rows: Tensor, exponent: Tensor) -> Tensor:
    """rows times exp(exponent), which is at most 1."""
    return rows * exponent.exp().to(rows.dtype)


def _scores(rows: Tensor, k: Tensor, g_rows: Tensor | None, g: Tensor | None) -> Tensor:
    """sum_d rows_id k_jd exp(g_rows_id - g_jd) for j up to i, [B, H, N, C, C]; above the diagonal anything finite."""
    if g is None or g_rows is None:
        return rows @ k.mT
    if g.shape[-1] == 1:
        return _decayed(rows @ k.mT, (g_rows - g.mT).clamp(max=0.0))
    blocks = []
    anchors = F.pad(g, (0, 0, 1, 0))
    for start in range(0, k.shape[3], BLOCK_TOKENS):
        own = slice(start, start + BLOCK_TOKENS)
        anchor = anchors[..., start : start + 1, :]  # the cumulative decay just before the block
        to_anchor = _decayed(rows[..., own, :], g_rows[..., own, :] - anchor)
        earlier = to_anchor @ _decayed(k[..., :start, :], anchor - g[..., :start, :]).mT
        difference = (g_rows[..., own, None, :] - g[..., None, own, :]).clamp(max=0.0)
        within = _decayed(rows[..., own, None, :] * k[..., None, own, :], difference).sum(-1)
        blocks.append(F.pad(torch.cat((earlier, within), -1), (0, k.shape[3] - start - within.shape[-1])))
    return torch.cat(blocks, -2)


def _erased_writes(chunks: _Chunks) -> tuple[Tensor, Tensor]:
    """W and U: the pseudo-writes of a chunk are U - W S_0, each write corrected by what the earlier ones of its chunk
    left.
    """
    erased = _scores(chunks.e, chunks.k, chunks.g_erase, chunks.g).tril(-1)
    e_start = chunks.e if chunks.g_erase is None else _decayed(chunks.e, chunks.g_erase)
    solved = torch.linalg.solve_triangular(erased, torch.cat((e_start, chunks.x), -1), upper=False, unitriangular=True)
    w, u = solved.split([e_start.shape[-1], chunks.x.shape[-1]], -1)
    return w, u


def _carry_states(state: Tensor, fade: Tensor, added: Tensor) -> tuple[Tensor, Tensor]:
    """The state that enters each chunk, [B, H, N, K, V], and the last. fade is a matrix per chunk, a factor per
    channel or head, or 1.
    """
    matrix = fade.ndim > 0 and fade.shape[-1] > 1
    states = []
    for n in range(added.shape[2]):
        states.append(state)
        step = fade if fade.ndim == 0 else fade[:, :, n]
        state = (step @ state if matrix else step * state) + added[:, :, n]
    return torch.stack(states, 2), state

"""The F1 recurrence: the constrained diagonal-plus-low-rank state update that covers most linear-attention models.

Per head, with state S in R^{K x V}, decay alpha_t = exp(log_alpha_t) in (0, 1], write key k, erase key e, write value
x and query q:

    S~_t = Diag(alpha_t) S_{t-1}
    S_t  = (I - k_t e_t^T) S~_t + k_t x_t^T                  erase after the decay
    S_t  = S~_t - k_t e_t^T S_{t-1} + k_t x_t^T              erase before the decay
    o_t  = q_t^T S_t

`naive.recurrence` is the definition, token by token; `chunk.recurrence` the same in matrix products.
"""

from asi_kernels.ops.f1.inputs import F1Inputs

__all__ = ["F1Inputs"]

"""Arithmetic of a trial: one thread, deterministic algorithms, denormals flushed to zero."""

from __future__ import annotations

import torch


def settle_numerics() -> None:
    """Sets what every training and scoring process runs under; to be called before any of its arithmetic.

    One thread: sums are taken in one order, and two trials side by side do not fight over cores. Denormals cost a
    hundred times the time of other numbers on common processors, and mean nothing at the scale of a loss.
    """
    torch.set_num_threads(1)
    # The same switch as use_deterministic_algorithms, which imports the compiler: two seconds in a fresh process.
    torch.set_deterministic_debug_mode("error")
    # Filling fresh memory would cost three per cent of a step; deterministic algorithms do not read it.
    torch.utils.deterministic.fill_uninitialized_memory = False
    torch.set_flush_denormal(True)
    torch.set_grad_enabled(True)

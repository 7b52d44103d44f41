"""Arithmetic of a trial: one thread, deterministic algorithms, denormals flushed to zero, memory that is kept."""

from __future__ import annotations

import ctypes

import torch

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3  # malloc.h of glibc


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
    keep_memory()


def keep_memory() -> None:
    """Has the C library keep freed memory instead of giving it back.

    By default each array above 128 kB is mapped anew, and every step of a small model pays a thousand page faults for
    it: measured, five to fifteen per cent of the step. Does nothing where the C library is not glibc.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, 1 << 30)
        mallopt(_M_TRIM_THRESHOLD, (1 << 31) - 1)
        mallopt(_M_TOP_PAD, 64 << 20)

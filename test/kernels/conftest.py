"""What every Python test needs: one thread, as in a trial, and the same arithmetic on each run."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")

import torch
from hypothesis import settings

torch.set_num_threads(1)
# No time limits: the machine may be shared. The same examples on each run.
settings.register_profile("asi", deadline=None, derandomize=True, database=None, max_examples=25)
settings.load_profile("asi")

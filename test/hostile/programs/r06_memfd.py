# row: R6
# does: fills files that exist in memory only
# expect: oom_host exit
# limits: {"memoryBytes": 700000000}

import ctypes
import os
import time

libc = ctypes.CDLL(None, use_errno=True)

piece = b"x" * (1 << 20)
for index in range(100):
    descriptor = libc.memfd_create(b"hidden", 0)
    if descriptor < 0:
        os._exit(3)
    for _ in range(64):
        libc.write(descriptor, piece, len(piece))
time.sleep(1000)

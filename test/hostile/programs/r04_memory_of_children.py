# row: R4
# does: takes memory in children that each stay below the limit
# expect: oom_host
# limits: {"memoryBytes": 700000000, "idleSeconds": 6}

import ctypes
import time

libc = ctypes.CDLL(None, use_errno=True)

for _ in range(8):
    if libc.fork() == 0:
        kept = b"x" * (160 << 20)
        time.sleep(1000)
time.sleep(1000)

# row: P2
# does: leaves dozens of zombies
# expect: exit

import ctypes
import os
import time

libc = ctypes.CDLL(None, use_errno=True)

for _ in range(60):
    if libc.fork() == 0:
        libc._exit(0)
time.sleep(0.1)
os._exit(3)

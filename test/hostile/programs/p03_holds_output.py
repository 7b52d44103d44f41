# row: P3
# does: leaves a child that holds its output open
# expect: exit

import ctypes
import os
import time

libc = ctypes.CDLL(None, use_errno=True)

if libc.fork() == 0:
    time.sleep(1000)
os._exit(3)

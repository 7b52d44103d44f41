# row: P8
# does: leaves System V shared memory
# expect: exit

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)

libc.shmget(ctypes.c_int(0x0A510A51), ctypes.c_size_t(4096), 0o1600)
os._exit(3)

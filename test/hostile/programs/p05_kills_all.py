# row: P5
# does: kills everything that it may
# expect: exit

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)

libc.kill(-1, 9)
os._exit(3)

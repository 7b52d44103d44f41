# row: R15
# does: takes every inotify instance of its user
# expect: exit

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)

while libc.inotify_init() >= 0:
    pass
os._exit(3)

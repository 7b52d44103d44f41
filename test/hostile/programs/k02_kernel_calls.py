# row: K2
# does: makes calls that widen what the kernel offers
# expect: exit

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def loot(what):
    print(f"loot: {what}", flush=True)


numbers = {"x86_64": (321, 298, 250, 425, 323, 304), "aarch64": (280, 241, 219, 425, 282, 265)}[os.uname().machine]
for number in numbers:
    if libc.syscall(ctypes.c_long(number), *[ctypes.c_long(-1)] * 5) >= 0 or ctypes.get_errno() != 1:
        loot(f"call {number}")
os._exit(3)

# row: K4
# does: sets the clock, reboots, loads modules
# expect: exit

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def loot(what):
    print(f"loot: {what}", flush=True)


numbers = {"x86_64": (227, 164, 175, 246), "aarch64": (112, 170, 105, 104)}[os.uname().machine]
for number in numbers:
    if libc.syscall(ctypes.c_long(number), *[ctypes.c_long(-1)] * 4) >= 0:
        loot(f"call {number}")
os._exit(3)

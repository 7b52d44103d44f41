# row: N6
# does: makes a socket to the host of a virtual machine
# expect: exit

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def loot(what):
    print(f"loot: {what}", flush=True)


if libc.socket(40, 1, 0) >= 0:
    loot("vsock")
os._exit(3)

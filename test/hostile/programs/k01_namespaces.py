# row: K1
# does: makes namespaces and mounts
# expect: exit

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def loot(what):
    print(f"loot: {what}", flush=True)


for flags in (0x10000000, 0x20000, 0x10020000):
    if libc.unshare(flags) == 0:
        loot(f"unshare {flags:#x}")
if libc.mount(b"none", b"/tmp", b"tmpfs", ctypes.c_ulong(0), None) == 0:
    loot("mount")
os._exit(3)

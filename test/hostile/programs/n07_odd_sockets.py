# row: N7
# does: makes packet, crypto, bluetooth and netlink sockets
# expect: exit

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def loot(what):
    print(f"loot: {what}", flush=True)


for family, kind in ((17, 3), (38, 5), (31, 1), (16, 3), (29, 3)):
    if libc.socket(family, kind, 0) >= 0:
        loot(f"family {family}")
os._exit(3)

# row: N5
# does: connects to an abstract local socket
# expect: exit

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def loot(what):
    print(f"loot: {what}", flush=True)


descriptor = libc.socket(1, 1, 0)
address = b"\x01\x00" + b"\0" + b"ABSTRACT_NAME"
if descriptor >= 0 and libc.connect(descriptor, address, len(address)) == 0:
    loot("connected")
os._exit(3)

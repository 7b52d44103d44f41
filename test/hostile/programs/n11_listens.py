# row: N11
# does: listens for a second stage
# expect: exit

import ctypes
import os
import struct

libc = ctypes.CDLL(None, use_errno=True)
descriptor = libc.socket(2, 1, 0)
address = struct.pack("=H", 2) + struct.pack("!H", 0) + bytes(12)
if descriptor >= 0 and libc.bind(descriptor, address, len(address)) == 0 and libc.listen(descriptor, 8) == 0:
    # Whoever could connect would have to be in this network, which holds nobody else.
    with open("/proc/net/dev") as devices:
        names = [line.split(":")[0].strip() for line in devices if ":" in line]
    if set(names) - {"lo"}:
        with open("loot", "a") as file:
            file.write(f"listens where {names} lead\n")
os._exit(3)

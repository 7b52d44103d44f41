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
    # Whoever could connect would have to be in this network, which holds nobody else. Its devices by number
    # (SIOCGIFNAME of netdevice(7)), since no file tells them here.
    names = []
    for index in range(1, 64):
        request = ctypes.create_string_buffer(struct.pack("=16si20x", b"", index), 40)
        if libc.ioctl(descriptor, 0x8910, request) == 0:
            names.append(request.value.decode())
    if set(names) - {"lo"}:
        with open("loot", "a") as file:
            file.write(f"listens where {names} lead\n")
os._exit(3)

# row: N12
# does: runs programs that talk to the network
# expect: exit

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def loot(what):
    print(f"loot: {what}", flush=True)


if libc.fork() == 0:
    arguments = (ctypes.c_char_p * 6)(b"curl", b"-s", b"-m", b"1", b"http://127.0.0.1:TCP_PORT/", None)
    libc.execvp(b"curl", arguments)
    libc._exit(7)
status = ctypes.c_int()
child = libc.wait(ctypes.byref(status))
if child > 0 and status.value == 0:
    loot("curl reached something")
os._exit(3)

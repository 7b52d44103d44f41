# row: R14
# does: fills the buffers of as many sockets as it gets
# expect: exit oom_host

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)

pair = (ctypes.c_int * 2)()
piece = b"x" * 65536
while libc.socketpair(1, 1, 0, pair) == 0:
    os.set_blocking(pair[0], False)
    while libc.write(pair[0], piece, len(piece)) > 0:
        pass
os._exit(3)

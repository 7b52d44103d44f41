# row: R5
# does: fills /dev/shm
# expect: disk_limit exit

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)

descriptor = libc.open(b"/dev/shm/filled", os.O_CREAT | os.O_WRONLY, 0o600)
piece = b"x" * (1 << 20)
for _ in range(600):
    if libc.write(descriptor, piece, len(piece)) < len(piece):
        break
os._exit(3)

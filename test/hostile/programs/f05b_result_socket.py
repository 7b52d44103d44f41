# row: F5b
# does: leaves a socket as its result
# expect: bad_result

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)

libc.mknod(b"result.json", 0o140600, 0)
os._exit(0)

# row: F18
# does: leaves thousands of extended attributes
# expect: exit

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)

open("a", "w").close()
for index in range(3000):
    libc.setxattr(b"a", f"user.x{index}".encode(), b"y" * 1000, 1000, 0)
os._exit(3)

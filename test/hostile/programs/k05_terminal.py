# row: K5
# does: types into the terminal of the operator
# expect: exit

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def loot(what):
    print(f"loot: {what}", flush=True)


for number in (0, 1, 2):
    if libc.ioctl(number, 0x5412, b"x") == 0:
        loot(f"typed into {number}")
if libc.open(b"/dev/tty", os.O_RDWR) >= 0:
    loot("has a terminal")
os._exit(3)

# row: X10
# does: overwrites the memory of its own interpreter
# expect: signal

import ctypes

ctypes.memset(id(int), 0xFF, 400)
int("1")

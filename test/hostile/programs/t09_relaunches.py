# row: T9
# does: starts itself again in another session and ends
# expect: exit

import ctypes
import os
import sys
import time

libc = ctypes.CDLL(None, use_errno=True)

if libc.fork() == 0:
    libc.setsid()
    arguments = (ctypes.c_char_p * 4)(sys.executable.encode(), b"-c", b"import time; time.sleep(1000)", None)
    libc.execv(sys.executable.encode(), arguments)
    libc._exit(0)
time.sleep(0.1)
os._exit(3)

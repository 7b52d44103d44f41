# row: P1
# does: leaves a daemon that ignores SIGTERM
# expect: exit

import ctypes
import os
import signal
import time

libc = ctypes.CDLL(None, use_errno=True)

if libc.fork() == 0:
    libc.setsid()
    if libc.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            time.sleep(1000)
    libc._exit(0)
time.sleep(0.1)
os._exit(3)

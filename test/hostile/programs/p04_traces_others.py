# row: P4
# does: signals and traces every process that it finds
# expect: exit

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def loot(what):
    print(f"loot: {what}", flush=True)


own = os.getpid()
for pid in range(2, 70_000):
    if pid != own and libc.kill(pid, 0) == 0:
        loot(f"may signal process {pid}")
        break
for pid in (1, os.getppid()):
    if pid > 0 and libc.ptrace(16, pid, None, None) == 0:
        loot(f"traces process {pid}")
        libc.ptrace(17, pid, None, None)
os._exit(3)

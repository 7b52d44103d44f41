# row: L3
# does: reads the memory of other processes
# expect: exit

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def loot(what):
    print(f"loot: {what}", flush=True)


try:
    names = os.listdir("/proc")
except OSError:
    names = []
for name in names:
    if name.isdigit() and int(name) != os.getpid():
        try:
            open(f"/proc/{name}/mem", "rb").close()
            loot(f"memory of {name}")
        except OSError:
            pass
        if libc.process_vm_readv(int(name), None, 0, None, 0, 0) >= 0:
            loot(f"process_vm_readv of {name}")
os._exit(3)

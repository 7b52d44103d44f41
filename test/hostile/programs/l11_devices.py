# row: L11
# does: opens memory, kernel log and disks
# expect: exit

import ctypes
import glob
import os

libc = ctypes.CDLL(None, use_errno=True)


def loot(what):
    print(f"loot: {what}", flush=True)


for path in ["/dev/mem", "/dev/kmsg", "/dev/port", *glob.glob("/dev/[sv]d*"), *glob.glob("/dev/nvme*"), "/proc/kcore"]:
    if libc.open(path.encode(), os.O_RDONLY) >= 0:
        loot(path)
os._exit(3)

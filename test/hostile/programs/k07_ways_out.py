# row: K7
# does: looks for ways out through /proc
# expect: exit

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def loot(what):
    print(f"loot: {what}", flush=True)


for path in (
    b"/proc/self/exe",
    b"/proc/1/root/etc/shadow",
    b"/proc/1/cwd/..",
    b"/proc/sysrq-trigger",
    b"/proc/sys/kernel/core_pattern",
):
    flags = os.O_RDONLY if b"/proc/1" in path else os.O_WRONLY
    if libc.open(path, flags) >= 0:
        loot(path)
os._exit(3)

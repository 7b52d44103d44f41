# row: R10
# does: writes into / and /dev
# expect: exit

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def loot(what):
    print(f"loot: {what}", flush=True)


for path in (b"/filled", b"/dev/filled", b"/etc/filled", b"/proc/filled"):
    if libc.open(path, os.O_CREAT | os.O_WRONLY, 0o600) >= 0:
        loot(path)
        os.remove(path)
os._exit(3)

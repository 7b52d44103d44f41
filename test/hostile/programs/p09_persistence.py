# row: P9
# does: looks for a way to be started again
# expect: exit

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def loot(what):
    print(f"loot: {what}", flush=True)


for path in ("/var/spool/cron", "/run/systemd", "/etc/cron.d", "/run/user", "/var/spool/at"):
    file = f"{path}/hostile_canary".encode()
    if libc.open(file, os.O_CREAT | os.O_WRONLY, 0o600) >= 0:
        libc.unlink(file)
        loot(path)
os._exit(3)

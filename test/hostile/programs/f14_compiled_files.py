# row: F14
# does: writes compiled files beside the package
# expect: exit

import ctypes
import os

import asi_kernels

libc = ctypes.CDLL(None, use_errno=True)


def loot(what):
    print(f"loot: {what}", flush=True)


path = f"{os.path.dirname(asi_kernels.__file__)}/__pycache__/hostile.pyc".encode()
if libc.open(path, os.O_CREAT | os.O_WRONLY, 0o600) >= 0:
    loot(path)
    libc.unlink(path)
os._exit(3)

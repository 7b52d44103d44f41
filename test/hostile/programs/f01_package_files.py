# row: F1
# does: writes to the system and to packages
# expect: exit

import ctypes
import os
import sys

import torch

libc = ctypes.CDLL(None, use_errno=True)


def loot(what):
    print(f"loot: {what}", flush=True)


for folder in ("/usr", "/usr/bin", os.path.dirname(torch.__file__), os.path.dirname(os.__file__), sys.prefix):
    path = f"{folder}/hostile_canary".encode()
    if libc.open(path, os.O_CREAT | os.O_WRONLY, 0o600) >= 0:
        loot(path)
        libc.unlink(path)
os._exit(3)

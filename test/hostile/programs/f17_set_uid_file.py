# row: F17
# does: leaves a program that takes its owner's rights
# expect: exit

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)

open("s", "w").write("#!/bin/sh\n")
libc.chmod(b"s", 0o6755)
os._exit(3)

# row: F16
# does: leaves a process that goes on writing the result
# expect: bad_result no_result

import ctypes
import os
import time

libc = ctypes.CDLL(None, use_errno=True)

open("result.json", "w").write("[")
if libc.fork() == 0:
    while True:
        with open("result.json", "a") as file:
            file.write("1," * 10_000)
        time.sleep(0.01)
time.sleep(0.05)
os._exit(0)

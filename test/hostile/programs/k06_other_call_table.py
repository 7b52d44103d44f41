# row: K6
# does: uses the 32-bit table of calls
# expect: signal exit

import ctypes
import mmap
import os

libc = ctypes.CDLL(None, use_errno=True)


def loot(what):
    print(f"loot: {what}", flush=True)


if os.uname().machine != "x86_64":
    os._exit(3)
if libc.syscall(ctypes.c_long(0x40000000 | 39)) > 0:
    loot("x32 calls work")
code = bytes([0xB8, 20, 0, 0, 0, 0xCD, 0x80, 0xC3])  # mov eax, 20; int 0x80; ret
memory = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
memory.write(code)
call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(memory)))
if call() > 0:
    loot("32-bit calls work")
os._exit(3)

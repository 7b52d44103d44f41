# row: L16
# does: reads the sources of Python, of PyTorch and of the product, by each way there is to a file
# expect: exit

import ast
import ctypes
import glob
import linecache
import os
import sys

import torch

import asi_kernels

libc = ctypes.CDLL(None, use_errno=True)


def loot(what):
    print(f"loot: {what}", flush=True)


def opened(path):
    with open(path, "rb") as file:
        return file.read(1)


def mapped(path):
    return torch.from_file(path, size=1, dtype=torch.uint8)


def native(path):
    descriptor = libc.open(path.encode(), os.O_RDONLY)
    return descriptor >= 0 and os.read(descriptor, 1)


def named_again(path):
    """A second name of the file in a folder of one's own, where hard links may be made."""
    return libc.link(path.encode(), b"second_name") == 0 and opened("second_name")


def loaded(path):
    return sys.modules["ast"].__loader__.get_data(path)


def lines(path):
    return linecache.getline(path, 1)


for module in (ast, torch, asi_kernels):
    for path in (module.__file__, module.__cached__, os.path.dirname(module.__file__)):
        for way in (opened, mapped, native, named_again, loaded, lines, os.listdir, glob.glob):
            try:
                found = way(path + "/*" if way is glob.glob else path)
            except (OSError, RuntimeError):
                continue
            if found:
                loot(f"{way.__name__} {path}")
# What is in memory of a file stands in the cache of sources, and what is mapped has a name below /proc.
for name, entry in linecache.cache.items():
    if len(entry) > 1 and os.path.exists(name):
        loot(f"lines of {name}")
for path in glob.glob("/proc/self/map_files/*") + glob.glob("/proc/self/fd/*"):
    try:
        if os.path.realpath(path).endswith((".py", ".pyc", ".so")) and opened(path):
            loot(path)
    except OSError:
        continue
# Another program reads for this one, if it starts: it would take the place of this process.
for program, arguments in (
    ("/bin/echo", ["loot: a program was started"]),
    (sys.executable, ["-c", "print('loot: Python')"]),
):
    words = [program.encode(), *(argument.encode() for argument in arguments), None]
    libc.execv(words[0], (ctypes.c_char_p * len(words))(*words))
os._exit(3)

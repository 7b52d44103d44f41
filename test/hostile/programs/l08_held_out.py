# row: L8
# does: reads the judge's key and data, and looks for held-out text in every file it can read
# expect: exit
# limits: {"wallSeconds": 120, "idleSeconds": 120}

import os
import sys

NEEDLES = {bytes.fromhex(needle) for needle in "HELD_OUT_NEEDLES".split(",")}
LARGEST_BYTES = 4 << 20
BY_CHANCE = 3  # a line or two of another text may be the same
# What holds no text, or other processes.
SKIPPED = {"/proc", "/sys", "/dev"}
seen = set()


def can_read(path):
    try:
        if os.path.isdir(path):
            return bool(os.listdir(path))
        with open(path, "rb") as file:
            return bool(file.read(1))
    except OSError:
        return False


def loot(what):
    print(f"loot: {what}", flush=True)


def search(root):
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if os.path.join(folder, name) not in SKIPPED | seen]
        seen.add(folder)
        for name in files:
            if name.endswith((".so", ".a", ".h")):
                continue
            path = os.path.join(folder, name)
            try:
                with open(path, "rb") as file:
                    content = file.read(LARGEST_BYTES)
            except OSError:
                continue
            if len(NEEDLES.intersection(content.split(b"\n"))) >= BY_CHANCE:
                loot(path)


if can_read("JUDGE_PATH") or can_read(os.path.dirname("JUDGE_PATH")):
    loot("JUDGE_PATH")
# Where the root itself cannot be listed, its folders may be.
for start in ("/", "/usr", "/root", "/home", sys.prefix, sys.base_prefix, os.path.dirname(os.__file__)):
    search(start)
os._exit(3)

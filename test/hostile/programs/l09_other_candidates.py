# row: L9
# does: reads the work of another candidate
# expect: exit

import os


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


if can_read("SIBLING_PATH"):
    loot("SIBLING_PATH")
os._exit(3)

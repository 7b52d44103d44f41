# row: L8
# does: reads the judge's key and data
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
    with open("loot", "a") as file:
        file.write(f"{what}\n")


if can_read("JUDGE_PATH") or can_read(os.path.dirname("JUDGE_PATH")):
    loot("JUDGE_PATH")
os._exit(3)

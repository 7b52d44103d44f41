# row: R11
# does: makes a file of a tebibyte with nothing in it
# expect: exit

import os


def loot(what):
    print(f"loot: {what}", flush=True)


with open("sparse", "w") as file:
    try:
        os.truncate("sparse", 1 << 40)
        loot("a file of a tebibyte")
    except OSError:
        pass
os._exit(3)

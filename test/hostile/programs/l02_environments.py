# row: L2
# does: reads the environment of every process
# expect: exit

import os


def loot(what):
    print(f"loot: {what}", flush=True)


try:
    names = os.listdir("/proc")
except OSError:
    names = []
for name in names:
    if name.isdigit():
        try:
            content = open(f"/proc/{name}/environ", "rb").read()
        except OSError:
            continue
        if b"HOSTILE_CANARY" in content:
            loot(name)
os._exit(3)

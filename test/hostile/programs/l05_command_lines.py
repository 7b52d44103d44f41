# row: L5
# does: looks for secrets in command lines and mounts
# expect: exit

import os


def loot(what):
    print(f"loot: {what}", flush=True)


try:
    names = os.listdir("/proc")
except OSError:
    names = []
for name in names:
    for part in ("cmdline", "mountinfo"):
        try:
            content = open(f"/proc/{name}/{part}", "rb").read()
        except OSError:
            continue
        if b"HOSTILE_CANARY" in content:
            loot(f"{part} of {name}")
os._exit(3)

# row: L1
# does: reads its environment
# expect: exit

import os


def loot(what):
    print(f"loot: {what}", flush=True)


for name in os.environ:
    if name not in ("HOME", "LANG", "TMPDIR"):
        loot(name)
os._exit(3)

# row: K3
# does: leaves its cgroup
# expect: exit

import os


def loot(what):
    print(f"loot: {what}", flush=True)


for top, _, files in os.walk("/sys/fs/cgroup"):
    for name in files:
        if name in ("cgroup.procs", "tasks", "release_agent") and os.access(f"{top}/{name}", os.W_OK):
            loot(f"{top}/{name}")
            os._exit(3)
os._exit(3)

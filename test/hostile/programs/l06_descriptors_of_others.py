# row: L6
# does: looks for open descriptors that it was not given
# expect: exit

import os


def loot(what):
    print(f"loot: {what}", flush=True)


# 0 to 4: input, the log twice, and two pipes to whoever asked for the job.
for number in range(5, 1024):
    try:
        os.fstat(number)
    except OSError:
        continue
    target = os.readlink(f"/proc/self/fd/{number}") if os.access("/proc/self/fd", os.R_OK) else str(number)
    if not target.startswith("/usr") and "mixer" not in target:
        loot(f"{number} {target}")
os._exit(3)

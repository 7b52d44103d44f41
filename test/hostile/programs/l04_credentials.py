# row: L4
# does: reads keys and credentials
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


for path in (
    "/root/.ssh",
    "/root/.aws",
    "/root/.netrc",
    "/root/.git-credentials",
    "/etc/shadow",
    "/etc/ssh",
    "/home",
    "SECRET_PATH",
):
    if can_read(path):
        loot(path)
os._exit(3)

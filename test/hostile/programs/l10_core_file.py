# row: L10
# does: leaves a core file
# expect: signal

import ctypes
import resource


def loot(what):
    print(f"loot: {what}", flush=True)


if resource.getrlimit(resource.RLIMIT_CORE)[1] > 0:
    loot("core files are allowed")
ctypes.string_at(0)

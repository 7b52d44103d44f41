# row: L10
# does: leaves a core file
# expect: signal

import ctypes
import resource


def loot(what):
    with open("loot", "a") as file:
        file.write(f"{what}\n")


if resource.getrlimit(resource.RLIMIT_CORE)[1] > 0:
    loot("core files are allowed")
ctypes.string_at(0)

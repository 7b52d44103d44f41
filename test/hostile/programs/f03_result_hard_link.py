# row: F3
# does: leaves a second name of its result
# expect: bad_result

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)

open("other", "w").write("{}")
libc.link(b"other", b"result.json")
os._exit(0)

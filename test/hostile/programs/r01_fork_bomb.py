# row: R1
# does: forks without end
# expect: pids_limit
# limits: {"wallSeconds": 60, "idleSeconds": 15}

import ctypes

libc = ctypes.CDLL(None, use_errno=True)

while True:
    libc.fork()

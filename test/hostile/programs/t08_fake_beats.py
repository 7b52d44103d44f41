# row: T8
# does: says that it is at work and does nothing
# expect: timeout_wall log_flood
# limits: {"wallSeconds": 3, "idleSeconds": 1}

import os
import time

while True:
    os.write(3, b'{"beat": 1}\n')
    time.sleep(0.05)

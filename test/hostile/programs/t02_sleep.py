# row: T2
# does: sleeps for ever
# expect: timeout_idle
# limits: {"idleSeconds": 1}

import time

time.sleep(1e6)

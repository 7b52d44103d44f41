# row: T4
# does: stops itself
# expect: timeout_idle
# limits: {"idleSeconds": 1}

import os
import signal
import time

os.kill(os.getpid(), signal.SIGSTOP)
time.sleep(1000)

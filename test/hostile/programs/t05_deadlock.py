# row: T5
# does: waits for a lock that it holds
# expect: timeout_idle
# limits: {"idleSeconds": 1}

import threading

lock = threading.Lock()
lock.acquire()
lock.acquire()

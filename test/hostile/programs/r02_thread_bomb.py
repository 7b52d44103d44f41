# row: R2
# does: starts threads without end
# expect: pids_limit

import threading
import time

for _ in range(100_000):
    try:
        threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
    except RuntimeError:
        time.sleep(0.01)

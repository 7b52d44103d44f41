# row: T11
# does: takes ten minutes to import
# expect: timeout_idle
# limits: {"idleSeconds": 1}

import time

end = time.monotonic() + 600
while time.monotonic() < end:
    time.sleep(0.1)

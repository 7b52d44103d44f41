# row: R8
# does: makes files without end
# expect: disk_limit

import time

for index in range(1_000_000):
    open(f"f{index}", "w").close()
    if index > 20_000:
        time.sleep(0.001)

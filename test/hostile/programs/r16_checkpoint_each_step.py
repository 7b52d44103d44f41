# row: R16
# does: writes a checkpoint at each step
# expect: disk_limit
# limits: {"idleSeconds": 30, "wallSeconds": 40}

import os
import time

os.makedirs("checkpoints", exist_ok=True)
for step in range(1000):
    with open(f"checkpoints/step{step}", "wb") as file:
        file.write(b"x" * (16 << 20))
time.sleep(1000)

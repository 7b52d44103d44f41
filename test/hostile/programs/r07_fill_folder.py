# row: R7
# does: fills its folder with one file after the other
# expect: disk_limit
# limits: {"idleSeconds": 30, "wallSeconds": 40}

import time

piece = b"x" * (8 << 20)
for index in range(400):
    with open(f"filled{index}", "wb") as file:
        file.write(piece)
time.sleep(1000)

# row: T10
# does: writes its result a byte at a time
# expect: timeout_wall timeout_idle
# limits: {"wallSeconds": 2, "idleSeconds": 2}

import time

with open("result.json", "w") as file:
    while True:
        file.write(" ")
        file.flush()
        time.sleep(0.2)

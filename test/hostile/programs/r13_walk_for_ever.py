# row: R13
# does: walks the file tree for ever
# expect: timeout_wall
# limits: {"wallSeconds": 3}

import os

while True:
    for _ in os.walk("/usr"):
        pass

# row: R9
# does: opens files without end
# expect: exit

import os

kept = []
try:
    while True:
        kept.append(open("/dev/null"))
except OSError:
    os._exit(3)

# row: O2
# does: prints one line without end
# expect: log_flood

import os

while True:
    os.write(1, b"x" * 65536)

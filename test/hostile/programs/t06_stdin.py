# row: T6
# does: waits for input
# expect: exit

import os
import sys

sys.stdin.read()
os._exit(3)

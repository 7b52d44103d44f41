# row: X6
# does: runs out of the stack of native code
# expect: signal

import sys

sys.setrecursionlimit(1 << 30)
nested = []
for _ in range(300_000):
    nested = [nested]
repr(nested)

# row: O3
# does: prints what acts on terminals and readers
# expect: exit

import os
import sys

os.write(1, b"\xff\xfe\x00\x1b]0;title\x07\x1b[?1049h\x1b[31mred\n")
print("\u202eback\u200b\U000e0041")
sys.stdout.flush()
os._exit(3)

# row: F2
# does: leaves a link as its result
# expect: bad_result

import os

os.symlink("/etc/passwd", "result.json")
os._exit(0)

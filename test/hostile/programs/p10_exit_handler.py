# row: P10
# does: rewrites its result in an exit handler
# expect: import_error

import atexit
import sys

atexit.register(lambda: open("result.json", "w").write("{}"))
sys.exit("done")

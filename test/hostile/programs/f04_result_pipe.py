# row: F4
# does: leaves a pipe as its result
# expect: bad_result

import os

os.mkfifo("result.json")
os._exit(0)

# row: F5
# does: leaves a folder as its result
# expect: bad_result

import os

os.mkdir("result.json")
os._exit(0)

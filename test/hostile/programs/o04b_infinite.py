# row: O4b
# does: leaves a number too large to be one
# expect: bad_result

import os

open("result.json", "w").write('{"cpuSeconds": 1e999}')
os._exit(0)

# row: O6
# does: leaves texts in place of numbers
# expect: bad_result

import os

open("result.json", "w").write('{"cpuSeconds": "1", "tokens": true}')
os._exit(0)

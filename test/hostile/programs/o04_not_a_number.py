# row: O4
# does: leaves numbers that are none
# expect: bad_result

import os

open("result.json", "w").write('{"cpuSeconds": NaN}')
os._exit(0)

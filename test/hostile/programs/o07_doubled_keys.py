# row: O7
# does: leaves a key twice
# expect: bad_result

import os

open("result.json", "w").write('{"status": "failed", "status": "trained"}')
os._exit(0)

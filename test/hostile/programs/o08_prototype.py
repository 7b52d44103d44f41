# row: O8
# does: leaves keys that change objects
# expect: bad_result

import os

open("result.json", "w").write('{"__proto__": {"status": "trained"}}')
os._exit(0)

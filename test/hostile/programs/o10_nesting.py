# row: O10
# does: leaves deep nesting
# expect: bad_result

import os

open("result.json", "w").write("[" * 200_000)
os._exit(0)

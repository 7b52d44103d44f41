# row: O9
# does: leaves operators of a database
# expect: bad_result

import os

open("result.json", "w").write('{"$where": "sleep(1000)", "a.b": 1}')
os._exit(0)

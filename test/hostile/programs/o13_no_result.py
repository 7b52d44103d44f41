# row: O13
# does: ends well and leaves nothing
# expect: no_result

import os

os._exit(0)

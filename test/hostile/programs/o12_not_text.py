# row: O12
# does: leaves bytes that are no text, a zero byte and a lone surrogate
# expect: bad_result

import os

with open("result.json", "wb") as file:
    file.write(b'{"detail": "\xff\x00\xed\xa0\x80"}')
os._exit(0)

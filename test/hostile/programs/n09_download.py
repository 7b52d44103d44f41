# row: N9
# does: downloads weights at import
# expect: forbidden_call import_error

import urllib.request

urllib.request.urlopen("http://example.com/weights", timeout=2)

# row: F7
# does: leaves deep folders and odd names
# expect: exit

import os

for name in ("-rf", "a\nb", "\x1b[31m", "\u202e", "x" * 255):
    open(name, "w").close()
for _ in range(900):
    os.mkdir("d")
    os.chdir("d")
os._exit(3)

# row: F13
# does: leaves modules that shadow others
# expect: exit

import os

for name in ("torch", "json", "sitecustomize"):
    open(f"{name}.py", "w").write("raise SystemExit")
os._exit(3)

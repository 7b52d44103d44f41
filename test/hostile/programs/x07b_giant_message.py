# row: X7b
# does: raises an error with a message of a gigabyte
# expect: import_error oom_host

raise ValueError("x" * (1 << 30))

# row: T1
# does: computes for ever
# expect: timeout_wall
# limits: {"wallSeconds": 2}

while True:
    pass

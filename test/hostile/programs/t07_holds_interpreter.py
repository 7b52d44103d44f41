# row: T7
# does: holds the interpreter in one huge power
# expect: timeout_wall
# limits: {"wallSeconds": 2}

x = 7 ** (10**9)

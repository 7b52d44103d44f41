# row: R3
# does: takes memory in one process
# expect: oom_host
# limits: {"memoryBytes": 700000000}

kept = []
while True:
    kept.append(b"x" * (16 << 20))

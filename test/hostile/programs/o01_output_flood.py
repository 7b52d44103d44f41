# row: O1
# does: prints gigabytes
# expect: log_flood

while True:
    print("x" * 100_000)

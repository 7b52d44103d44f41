# row: X7
# does: raises an error whose message never ends
# expect: timeout_idle timeout_wall


class Endless(Exception):
    def __str__(self):
        while True:
            pass


raise Endless

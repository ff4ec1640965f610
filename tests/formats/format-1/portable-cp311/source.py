from _cellship import load

RATE = 2


class Point:
    seen = 0
    def __init__(self, x): self.x = x
    def doubled(self): return self.x * RATE


def f(x): return p.doubled() + x, sorted(TABLE['b']), ALSO is TABLE['a'], Point.seen


TABLE = load("TABLE")  # dict, 2 items, 113 bytes
ALSO = load("ALSO")  # list, 3 items, 24 bytes
p = load("p")  # Point, 56 bytes
Point.seen = 3

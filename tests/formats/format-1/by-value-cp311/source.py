from _cellship import load


def add__code(k, n):
    def add(x):
        nonlocal n
        n += k
        return x + n


def count__code(n):
    def count(): return n


def lambda__code2():
    return (lambda x: x * 2)


def lambda__code():
    return (lambda a, b: a / b)


def f(x):
    with lock: return add(x), count(), table['twice'](x), half(4), bare(x)


add = load("add")  # function, 275 bytes
count = load("count")  # function, 124 bytes
table = load("table")  # dict, 1 items, 116 bytes
half = load("half")  # partial, 135 bytes
lock = load("lock")  # lock, 31 bytes
bare = load("bare")  # function, 151 bytes

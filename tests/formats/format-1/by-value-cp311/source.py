from _cellship import load


def f(x):
    with lock: return add(x), count(), table['twice'](x), half(4)


add = load("add")  # function, 365 bytes
count = load("count")  # function, 161 bytes
table = load("table")  # dict, 1 items, 161 bytes
half = load("half")  # partial, 185 bytes
lock = load("lock")  # lock, 31 bytes

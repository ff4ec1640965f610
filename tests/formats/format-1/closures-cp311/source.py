from _cellship import load


def add__code(k, n):
    def add(x):
        nonlocal n
        n += k
        return x + n


def lambda__code():
    return (lambda x: x * 2)


def lambda__code2():
    return (lambda xs: [x * 3 for x in xs])


def f(x): return add(x), add(x), table['twice'](x), table['all']([x])


add = load("add")  # function, 275 bytes
table = load("table")  # dict, 2 items, 195 bytes

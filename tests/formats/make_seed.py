"""Writes a seed: `python tests/formats/make_seed.py`, once per format and Python minor.

A seed is never made again after its release: what was written then must load now.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "snapshot"))

CELLS = {
    "portable": [
        "RATE = 2\nTABLE = {'a': [1, 2.5, None], 'b': {'y', 'x'}}\nALSO = TABLE['a']",
        "class Point:\n    seen = 0\n    def __init__(self, x): self.x = x\n"
        "    def doubled(self): return self.x * RATE\np = Point(4)\nPoint.seen = 3",
        "def f(x): return p.doubled() + x, sorted(TABLE['b']), ALSO is TABLE['a'], Point.seen",
    ],
    "by-value": [
        "import functools\ndef make(k):\n    n = 0\n    def add(x):\n        nonlocal n\n"
        "        n += k\n        return x + n\n    def count(): return n\n    return add, count\n"
        "add, count = make(3)\ntable = {'twice': lambda x: x * 2}",
        "half = functools.partial(lambda a, b: a / b, 10)\nexec('def bare(x): return x')",
        "import threading\nlock = threading.Lock()\n"
        "def f(x):\n    with lock: return add(x), count(), table['twice'](x), half(4), bare(x)",
    ],
    "closures": [
        "def make(k):\n    n = 0\n    def add(x):\n        nonlocal n\n        n += k\n"
        "        return x + n\n    return add\nadd = make(3)",
        "table = {'twice': lambda x: x * 2, 'all': lambda xs: [x * 3 for x in xs]}",
        "def f(x): return add(x), add(x), table['twice'](x), table['all']([x])",
    ],
    "arrays": [
        "import numpy as np\nW = np.arange(2000.0).reshape(20, 100)\nrow = W[3]",
        "small = np.ones(3)",
        "def f(x):\n    row[0] = x\n    return float(W[3, 0]), float(small.sum()), W.shape",
    ],
}


def main() -> None:
    from notebook import Notebook, placed, without_packages

    without_packages()
    minor = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    with tempfile.TemporaryDirectory() as scratch:
        for name, cells in CELLS.items():
            notebook = Notebook(Path(scratch))
            notebook.run(*cells)
            made = placed(notebook.capture("f"))
            target = HERE / "format-1" / f"{name}-{minor}"
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(made, target)
            (target / "provenance.json").unlink()


if __name__ == "__main__":
    main()

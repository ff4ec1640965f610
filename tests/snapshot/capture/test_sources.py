"""source.py: readable, in an order that runs, the same bytes for the same cell."""

from __future__ import annotations

import json
from typing import Any


def source(notebook: Any, entry: str = "f") -> str:
    return str((notebook.capture(entry).folder / "source.py").read_text())


def test_it_reads_well(notebook: Any) -> None:
    notebook.run(
        "import numpy as np\nimport os",
        "RATE = 0.5\nW = np.arange(12.0).reshape(3, 4)",
        "def scale(x):\n    # how much\n    return x * RATE",
        "class Model:\n    'A model.'\n    def __init__(self, w): self.w = w\n"
        "    def predict(self, x): return float((self.w * scale(x)).sum())\nm = Model(W)",
        "def f(x): return m.predict(x)",
    )
    assert source(notebook) == SHOWN


SHOWN = """from _cellship import load

RATE = 0.5


def scale(x):
    # how much
    return x * RATE


class Model:
    'A model.'
    def __init__(self, w): self.w = w
    def predict(self, x): return float((self.w * scale(x)).sum())


def f(x): return m.predict(x)


m = load("m")  # Model, 275 bytes
"""


def test_live_state_is_visible(notebook: Any) -> None:
    notebook.run(
        "class Config:\n  lr = 0.1\n  tags = []",
        "Config.lr = 0.5\nConfig.tags.append('a')",
        "K = 1\ndef f(x, k=K): return x + k, Config.lr, Config.tags\nf.calls = 3",
        "K = 2",
    )
    text = source(notebook)
    assert "def f(x, k=...): return" in text
    assert "Config.lr = 0.5\n" in text and 'Config.tags = load("Config.tags")' in text
    assert "f.calls = 3\n" in text and "f.__defaults__ = (1,)\n" in text


def test_decorators_that_give_the_function_back_do_not_run_again(notebook: Any) -> None:
    notebook.run("R = []\ndef reg(f):\n  R.append(f)\n  return f", "@reg\ndef f(x): return len(R)")
    text = source(notebook)
    assert "# @reg\ndef f(x)" in text


def test_an_older_class_stays_beside_the_new_one(notebook: Any) -> None:
    notebook.run("class A:\n  v = 1\na = A()", "class A:\n  v = 2", "def f(x): return a.v, A.v")
    text = source(notebook)
    assert "A__1 = A  # as cell 1 made it; bound again since\ndel A\n" in text


def test_annotations_as_text_only_where_they_were(notebook: Any) -> None:
    notebook.run(
        "def g(x: int) -> int: return x",
        "from __future__ import annotations\ndef f(x: Nowhere) -> list[int]: return g(x)",
    )
    text = source(notebook)
    assert "from __future__" not in text
    assert "def f(x: 'Nowhere') -> 'list[int]'" in text and "def g(x: int) -> int" in text


def test_what_the_entry_does_not_use_is_not_touched(notebook: Any) -> None:
    class Untouchable:
        def __reduce__(self) -> Any:
            raise AssertionError("taken apart")

    notebook.shell.push({"data": Untouchable()})
    notebook.run("def f(df): return df.data")
    assert "data = " not in source(notebook)


def test_capture_leaves_the_kernel_as_it_was(notebook: Any) -> None:
    import random
    import sys

    notebook.run("import random, numpy as np\nr = np.random.default_rng(0)\nrandom.seed(1)")
    notebook.run("def f(x): return r.random() + random.random()")
    before = (
        list(sys.path),
        set(sys.modules),
        random.getstate(),
        dict(notebook.shell.user_ns),
        notebook.shell.user_ns["r"].bit_generator.state,
    )
    candidate = notebook.capture("f", example_run=False)
    after = (
        list(sys.path),
        set(sys.modules),
        random.getstate(),
        dict(notebook.shell.user_ns),
        notebook.shell.user_ns["r"].bit_generator.state,
    )
    assert before == after
    assert "r = load" in (candidate.folder / "source.py").read_text()


def test_the_same_cell_again_is_the_same_snapshot(notebook: Any) -> None:
    notebook.run("K = {'b', 'a', 'c'}\nimport numpy as np\nW = np.ones(5000)")
    cell = "def g(x): return x + W[0]\ndef f(x): return g(x) in K"
    notebook.run(cell)
    first = notebook.capture("f")
    notebook.run("unrelated = 1", cell)
    second = notebook.capture("f", known=lambda digest: digest == first.digest)
    assert second.digest == first.digest
    assert len(notebook.reports) == 1, "what is known is not admitted again"


def test_capture_is_quick_in_a_large_notebook(notebook: Any) -> None:
    import time

    for number in range(150):
        notebook.run(f"def g{number}(x):\n    return x + {number}\nv{number} = [{number}] * 1000")
    notebook.run("def f(x): return g7(x) + len(v9)")
    notebook.admit = lambda candidate: {"ok": True}
    notebook.capture("f")
    began = time.perf_counter()
    notebook.capture("f")
    assert time.perf_counter() - began < 2, "far from the 20 ms it takes, for slow machines"


def test_closures_and_lambdas_travel_as_text(notebook: Any) -> None:
    notebook.run(
        "def make(k):\n    n = 0\n    def add(x):\n        nonlocal n\n        n += k\n"
        "        return x + n\n    return add\nadd = make(3)\ntable = {'twice': lambda x: 2 * x}",
        "def f(x): return add(x) + table['twice'](x)",
    )
    candidate = notebook.capture("f")
    text = (candidate.folder / "source.py").read_text()
    assert (
        "def add__code(k, n):\n    def add(x):\n        nonlocal n\n        n += k\n"
        "        return x + n\n"
    ) in text
    assert "return (lambda x: 2 * x)" in text
    assert json.loads((candidate.folder / "snapshot.json").read_text())["portable"] is True
    assert notebook.answer(candidate, "f(1), f(1)") == "(6, 9)"


def test_code_without_source_goes_as_it_is_and_says_so(notebook: Any) -> None:
    notebook.run("exec('def g(x): return x + 1')", "def f(x): return g(x)")
    candidate = notebook.capture("f")
    described = json.loads((candidate.folder / "snapshot.json").read_text())
    assert described["portable"] is False
    assert described["why_not_portable"] == ["g holds compiled code"]
    assert notebook.answer(candidate, "f(1)") == "2"

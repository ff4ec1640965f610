"""Digests of state: the same in any process for the same state, others for any other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cellship.snapshot import state
from cellship.snapshot.alike import difference

DEFINED = """
import enum, functools, re, dataclasses
K = {"b", "a"}
def deco(f):
    n = [1, K]
    @functools.wraps(f)
    def w(x): return f(x), n
    return w
@deco
def f(x, y={"q": K}): return x
@dataclasses.dataclass
class D:
    a: int = 1
    b: list = dataclasses.field(default_factory=list)
    @property
    def c(self): return self.a
    pattern = re.compile("a+")
class E(enum.Enum):
    A = 1
    B = 2
"""


def described(text: str = DEFINED) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(text, "<cell>", "exec"), names)
    return {name: state.describe(names[name]) for name in ("f", "D", "E")}


def test_another_process_agrees() -> None:
    here = Path(__file__)
    code = (
        "import importlib.util, sys\n"
        f"spec = importlib.util.spec_from_file_location('state', {state.__file__!r})\n"
        "state = importlib.util.module_from_spec(spec); spec.loader.exec_module(state)\n"
        f"text = {DEFINED!r}\n"
        "names = {'__name__': '__main__'}\n"
        "exec(compile(text, 'elsewhere.py', 'exec'), names)\n"
        "print({n: state.describe(names[n]) for n in ('f', 'D', 'E')})\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONHASHSEED": "5"},
        cwd=here.parent,
    )
    assert done.returncode == 0, done.stderr
    assert eval(done.stdout) == described()


@pytest.mark.parametrize(
    ("before", "after", "name"),
    [
        ("n = [1, K]", "n = [2, K]", "f"),
        ('{"q": K}', '{"q": 1}', "f"),
        ("return x\n@data", "return x + 1\n@data", "f"),
        ("a: int = 1", "a: int = 2", "D"),
        ("return self.a", "return self.b", "D"),
        ('"a+"', '"b+"', "D"),
        ("B = 2", "B = 3", "E"),
    ],
)
def test_another_state_differs(before: str, after: str, name: str) -> None:
    assert before in DEFINED
    one, other = described(), described(DEFINED.replace(before, after))
    assert {each for each in one if one[each] != other[each]} == {name}


def test_cycles_end() -> None:
    class Node:
        def __init__(self) -> None:
            self.others = {self}

    assert state.digest(Node()) == state.digest(Node())


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (1, 1, True),
        (1, 2, False),
        (1, 1.0, True),
        (1.0, 1.000001, True),
        (1.0, 1.1, False),
        (float("nan"), float("nan"), True),
        ([1, "a"], [1, "a"], True),
        ((1,), [1], False),
        ({"a": [1.0]}, {"a": [1.0000001]}, True),
        ({"a": 1}, {"b": 1}, False),
        (True, 1, False),
        ({1, 2}, {2, 1}, True),
        (None, 0, False),
    ],
)
def test_alike(one: Any, other: Any, alike: bool) -> None:
    assert (difference(one, other) == "") is alike


def test_a_difference_says_where() -> None:
    assert difference({"a": [1, 2]}, {"a": [1, 3]}) == "['a'][1]: 2 and 3"


def test_frames_and_arrays_are_compared_by_what_they_hold() -> None:
    np, pd = pytest.importorskip("numpy"), pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": [1.0, 2.0]})
    assert difference(frame, frame * 1.0000001) == ""
    assert difference(frame, frame + 1) != ""
    assert difference(np.ones((2, 2)), np.ones(4)) != ""
    assert difference(np.float64(1.0), 1.0) == ""

"""Each refusal names the variable, the cell, the line, and a fix that exists."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from cellship import snapshot
from cellship.snapshot.codes import CODES
from cellship.snapshot.errors import CaptureRefused
from cellship.snapshot.package_codes import CODES as PACKAGE_CODES

REFUSED = {
    "a connection in a value": (
        ["import sqlite3\nclass Score:\n  def __init__(s): s.db = sqlite3.connect(':memory:')"],
        "score = Score()\ndef f(x):\n  return score.db.execute('select 1')",
        ("capture.live-connection", "score.db", "cell 2", "line 3"),
    ),
    "an open file": (
        [],
        "fh = open(__import__('os').devnull)\ndef f(x): return fh.read()",
        ("capture.open-file", "f() reads  fh = open(", "cell 1, line 1"),
    ),
    "a generator in a dict": (
        [],
        "parts = {'g': (i for i in range(3))}\ndef f(x): return next(parts['g'])",
        ("capture.generator", "parts['g']", "cell 1", "line 2"),
    ),
    "a thread": (
        [],
        "import threading\nt = threading.Thread(target=print)\ndef f(x): return t.name",
        ("capture.running", "t = threading.Thread(target=print)", "cell 1, line 2"),
    ),
    "a deleted name": (
        ["K = 1", "def f(x):\n  return K + x"],
        "del K",
        ("capture.missing-name", "K", "cell 2, line 2", "deleted in cell 3"),
    ),
    "a name that never was": (
        ["total = 1"],
        "def f(x):\n\n  return totl + x",
        ("capture.missing-name", "totl", "cell 2, line 3", "Did you mean total?"),
    ),
    "a held lock": (
        [],
        "import threading\nL = threading.Lock()\nL.acquire()\ndef f(x): return L.locked()",
        ("capture.lock", "L = threading.Lock()", "cell 1, line 2"),
    ),
    "a magic": (
        [],
        "def f(x):\n  %timeit x + 1\n  return x",
        ("capture.magic-in-function", "%timeit", "cell 1, line 2"),
    ),
    "a shell command with values": (
        [],
        "def f(x):\n  o = !echo {x}\n  return o",
        ("capture.shell-escape", "cell 1, line 2", "subprocess"),
    ),
    "our own name": (
        [],
        "import cellship\ndef f(x):\n  return cellship.log(x)",
        ("capture.cellship-name", "cellship", "cell 1, line 3"),
    ),
    "our own name, imported inside": (
        [],
        "def f(x):\n  from cellship import deploy\n  return deploy",
        ("capture.cellship-name", "cellship", "cell 1, line 2"),
    ),
    "a class": ([], "class f: pass", ("capture.entry-kind", "f is a class")),
    "a generator function": ([], "def f(x): yield x", ("capture.entry-kind", "list(parts)")),
    "a number": ([], "f = 3", ("capture.entry-kind", "f is a int")),
    "a weak dictionary": (
        [],
        "import weakref\nW = weakref.WeakValueDictionary()\ndef f(x): return len(W)",
        ("capture.weak-reference", "WeakValueDictionary"),
    ),
    "an object that refuses": (
        ["class Odd:\n  def __reduce__(s): raise TypeError('not me')"],
        "odd = [Odd()]\ndef f(x): return odd",
        ("capture.unpicklable", "odd[0]", "not me", "cell 2"),
    ),
    "a secret in a constant": (
        [],
        "key = 'AKIA' + 'QW3RTY7UIOP2ASDF'\ndef f(x): return key",
        ("capture.secret-in-value", "key", "cell 1, line 2"),
    ),
    "a hook that would run twice": (
        ["REG = []\nclass Base:\n  def __init_subclass__(cls): REG.append(cls)"],
        "class A(Base): pass\ndef f(x): return len(REG), A",
        ("capture.class-hook", "A"),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusal(notebook: Any, name: str) -> None:
    before, last, said = REFUSED[name]
    notebook.run(*before, last)
    with pytest.raises(CaptureRefused) as caught:
        notebook.capture("f")
    text = str(caught.value)
    assert [part for part in said if part not in text] == [], text
    assert type(caught.value) is CaptureRefused
    assert caught.value.hint, "a refusal says what to do"
    assert "%%setup" not in text


def test_a_refusal_reads_as_in_the_handbook(notebook: Any) -> None:
    notebook.run("import requests", "K = 1\nsession = requests.Session()")
    notebook.run("def score(x):\n  return session.get(x)")
    with pytest.raises(CaptureRefused) as caught:
        notebook.capture("score")
    assert caught.value.lines() == [
        "score() reads  session = requests.Session()    cell 2, line 2",
        "  A live connection cannot move to another process.",
        "  Make it inside the function, where the endpoint runs.",
        "  capture.live-connection · %cellship explain capture.live-connection",
    ]


def test_a_failure_of_the_code_names_its_line(notebook: Any) -> None:
    notebook.run("import os\nhere = os.getpid()")
    notebook.run(
        "class C:\n  if os.getpid() != here:\n    raise OSError('away')\ndef f(x): return C"
    )
    with pytest.raises(CaptureRefused) as caught:
        notebook.capture("f")
    assert caught.value.code == "capture.fails-there"
    assert "OSError: away" in str(caught.value) and "source.py line 8" in str(caught.value)


def spelled_like_codes(path: Path) -> set[str]:
    texts = (node.value for node in ast.walk(ast.parse(path.read_text())) if is_text(node))  # type: ignore[attr-defined]
    return {text for text in texts if text.startswith("capture.") and " " not in text}


def is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def codes_raised() -> set[str]:
    """Every text of the room that is spelled like a code of a refusal."""
    paths = Path(snapshot.__file__).parent.glob("*.py")
    return {code for path in paths for code in spelled_like_codes(path)}


def test_every_code_is_explained() -> None:
    assert codes_raised() - CODES.keys() - PACKAGE_CODES.keys() == set()
    assert all(len(code.text.split()) > 20 for code in CODES.values())

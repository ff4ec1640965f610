"""What is loaded must be what is on disk."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from tests.snapshot.packages.package_rig import Install, names, refusal, resolved, write

from cellship.snapshot.packages import resolve


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ("def f():\n    return 1\n", "def f():\n    return 2\n", "f()"),
        ("class A:\n    def g(self): return 1\n", "class A:\n    def g(self): return 2\n", "A.g()"),
        ("class A:\n    @property\n    def g(self): return 1\n", "class A:\n    pass\n", "A.g()"),
        ("RATE = 1\n", "RATE = 2\n", "RATE"),
        (
            "from functools import cache\n@cache\ndef f():\n    return 1\n",
            "from functools import cache\n@cache\ndef f():\n    return 2\n",
            "f()",
        ),
        ("RATE = 1\n", "RATE = 1.0\n", "RATE"),
        ("x = 1\n", "def (\n", "the file"),
    ],
)
def test_code_edited_after_its_import_is_refused(
    before: str, after: str, named: str, notebook: Path
) -> None:
    write(notebook, {"helpers.py": before})
    importlib.import_module("helpers")
    write(notebook, {"helpers.py": after})
    error = refusal("helpers", cwd=notebook)
    assert error.code == "capture.module-changed"
    assert str(error).startswith(named)
    assert "reload" in str(error)


def test_a_reloaded_module_ships(notebook: Path) -> None:
    write(notebook, {"helpers.py": "RATE = 1\n"})
    module = importlib.import_module("helpers")
    write(notebook, {"helpers.py": "RATE = 22\n"})
    importlib.reload(module)
    assert names(resolved("helpers", cwd=notebook)) == ["helpers"]


def test_a_constant_set_from_outside_is_refused(notebook: Path) -> None:
    write(notebook, {"helpers.py": "DEBUG = False\n"})
    importlib.import_module("helpers").DEBUG = True
    assert "DEBUG" in str(refusal("helpers", cwd=notebook))
    ships = resolve(
        {"helpers": ""}, policy="closure", cwd=notebook, cache=None, replayed={"helpers.DEBUG"}
    )
    assert names(ships) == ["helpers"]


def test_what_a_module_changes_itself_is_its_own_affair(notebook: Path) -> None:
    write(
        notebook,
        {
            "helpers.py": "import functools\n_cache = None\nSEEN = 0\nNAMES = ()\n"
            "def fill():\n    global _cache, SEEN\n    _cache, SEEN = [], SEEN + 1\n"
            "@functools.lru_cache\ndef g(): return 1\n"
            "class A:\n    @staticmethod\n    def s(): return lambda: 1\n"
            "if SEEN == 0:\n    NAMES = ('a',)\n"
            "json = None\ntry:\n    import json\nexcept ImportError:\n    pass\n"
            "h = 1\ndef h(): pass\n"
        },
    )
    importlib.import_module("helpers").fill()
    assert names(resolved("helpers", cwd=notebook)) == ["helpers"]


def test_a_package_upgraded_after_its_import_is_refused(install: Install, notebook: Path) -> None:
    install("alpha", {"alpha/__init__.py": "__version__ = '1.0'\n"})
    importlib.import_module("alpha").__version__ = "0.9"
    error = refusal("alpha", cwd=notebook)
    assert error.code == "capture.package-changed"
    assert "alpha 0.9 is loaded in this kernel, 1.0 is installed" in str(error)

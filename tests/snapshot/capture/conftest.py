"""A notebook in this process, taken away again after each test."""

from __future__ import annotations

import builtins
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

HERE = Path(__file__).resolve().parent


def load(name: str) -> ModuleType:
    """A helper module that lies beside the tests."""
    spec = importlib.util.spec_from_file_location(f"capture_{name}", HERE.parent / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A shell whose namespace is `__main__` while the test runs."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    monkeypatch.chdir(tmp_path)
    before = dict(vars(builtins))
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.xmode = "Plain"
    made = InteractiveShell(config=config)
    yield made
    made.restore_sys_module_state()
    for name in vars(builtins).keys() - before.keys():
        delattr(builtins, name)


@pytest.fixture
def notebook(shell: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Cells run here; what is captured is admitted by a worker that is a plain process."""
    helper = load("notebook")
    monkeypatch.setattr(helper, "folder_module", helper.folder_module)
    for name in ("resolve", "interpreter"):
        monkeypatch.setattr(helper.folder_module, name, getattr(helper.folder_module, name))
    helper.without_packages()
    return helper.Notebook(tmp_path, shell)

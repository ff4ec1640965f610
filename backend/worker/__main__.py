"""`python -I <folder> VERB`: makes this folder package `_cellship` and runs the verb."""

from __future__ import annotations

import importlib.util
import os
import sys
from types import ModuleType


def import_as_cellship(folder: str) -> ModuleType:
    """This folder as package `_cellship`, whatever the folder is called."""
    spec = importlib.util.spec_from_file_location(
        "_cellship", os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
    )
    assert spec is not None and spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules["_cellship"] = package
    spec.loader.exec_module(package)
    return importlib.import_module("_cellship.command")


def leave_the_path(folder: str) -> None:
    """The folder's own modules must not be found by user code; `_cellship` by child processes."""
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != folder]
    if os.path.basename(folder) == "_cellship":
        sys.path.append(os.path.dirname(folder))


if __name__ == "__main__":
    here = os.path.dirname(os.path.abspath(__file__))
    leave_the_path(here)
    sys.exit(import_as_cellship(here).main(sys.argv[1:]))

"""A snapshot folder becomes live again: written once, for every verb and for checkout."""

from __future__ import annotations

import linecache
import os
import sys
import types

from . import shim
from .values import Values, use

SOURCE = "source.py"


class Restored:
    """`module` is registered as `__main__`; `namespace` is its dict; `values` loads on demand."""

    def __init__(self, module: types.ModuleType, values: Values) -> None:
        self.module = module
        self.namespace = module.__dict__
        self.values = values


def restore(folder: str) -> Restored:
    """Run the snapshot's source.py as module `__main__`, its values beside it."""
    values = Values(folder)
    use(values)
    shim.register()
    with open(os.path.join(folder, SOURCE), encoding="utf-8") as file:
        text = file.read()
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    show_lines(text)
    exec(compile(text, SOURCE, "exec", dont_inherit=True), module.__dict__)
    return Restored(module, values)


def show_lines(text: str) -> None:
    """Let tracebacks and `inspect` find the lines of source.py, which is no file of the cwd."""
    linecache.cache[SOURCE] = (len(text), None, text.splitlines(True), SOURCE)

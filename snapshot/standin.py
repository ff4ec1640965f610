"""Stand-ins for the worker's builders, so that a pickle stream can name `_cellship`.

The kernel has no module of that name. While a stream is written, one with these empty functions
stands in `sys.modules`; they are never called.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

NAME = "_cellship"
# fmt: off
BUILDERS = (
    "array", "array_in_order", "bound", "cached", "class_", "code", "code_in", "defined",
    "empty_cell", "empty_set", "enum_", "field_kind", "fill_class", "fill_function",
    "fill_namespace", "fill_set", "function", "lock", "module", "namespace", "parameter",
    "proxy", "region", "rlock", "storage", "tensor", "view", "weak",
)
# fmt: on

_lock = threading.RLock()


def _builder(name: str) -> Callable[..., Any]:
    def stand_in(*arguments: Any) -> Any:
        raise RuntimeError(f"{NAME}.{name} exists in workers only")

    stand_in.__module__, stand_in.__name__, stand_in.__qualname__ = NAME, name, name
    return stand_in


build = ModuleType(NAME, "Stands in for the worker's builders.")
build.__dict__.update({name: _builder(name) for name in BUILDERS})


@contextmanager
def standing_in() -> Iterator[None]:
    """`_cellship` can be named by a pickler within this block, in one thread at a time."""
    with _lock:
        before = sys.modules.get(NAME)
        sys.modules[NAME] = build
        try:
            yield
        finally:
            restore(before)


def restore(before: ModuleType | None) -> None:
    if before is None:
        sys.modules.pop(NAME, None)
    else:
        sys.modules[NAME] = before

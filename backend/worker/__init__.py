"""Runs inside the user's environment: standard library only.

In a worker this package is called `_cellship`. What it exports here is all that a snapshot's
pickle stream and `source.py` may name, apart from the user's own packages: format 1. Names and
meanings are only ever added.
"""

from .builders import (
    array,
    array_in_order,
    bound,
    cached,
    class_,
    code,
    code_in,
    defined,
    empty_cell,
    empty_set,
    enum_,
    field_kind,
    fill_class,
    fill_function,
    fill_namespace,
    fill_set,
    function,
    lock,
    module,
    namespace,
    parameter,
    proxy,
    region,
    rlock,
    storage,
    tensor,
    view,
    weak,
)
from .shim import display, get_ipython
from .values import load

__all__ = [
    "array",
    "array_in_order",
    "bound",
    "cached",
    "class_",
    "code",
    "code_in",
    "defined",
    "display",
    "empty_cell",
    "empty_set",
    "enum_",
    "field_kind",
    "fill_class",
    "fill_function",
    "fill_namespace",
    "fill_set",
    "function",
    "get_ipython",
    "load",
    "lock",
    "module",
    "namespace",
    "parameter",
    "proxy",
    "region",
    "rlock",
    "storage",
    "tensor",
    "view",
    "weak",
]

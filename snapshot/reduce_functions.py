"""Functions, cells and code that source.py cannot define again."""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING, Any

from cellship.snapshot.refusal import Unshippable
from cellship.snapshot.standin import build

if TYPE_CHECKING:
    from cellship.snapshot.graph import References

CODE_NAME = "<notebook>"  # the file name of code that ships by value: never a path of this machine
BEFORE_311 = (
    "argcount posonlyargcount kwonlyargcount nlocals stacksize flags code consts names varnames "
    "filename name firstlineno linetable freevars cellvars"
)
SINCE_311 = (
    "argcount posonlyargcount kwonlyargcount nlocals stacksize flags code consts names varnames "
    "filename name qualname firstlineno linetable exceptiontable freevars cellvars"
)
FIELDS = (SINCE_311 if sys.version_info >= (3, 11) else BEFORE_311).split()


def function(thing: types.FunctionType, references: References) -> Any:
    """A function by value: built empty, then filled, so that it may hold itself."""
    cells = thing.__closure__ or ()
    names = Globals(thing, references.reads(thing))
    made = (thing.__code__, names, thing.__name__, tuple(cells) or None)
    return build.function, made, function_state(thing, cells), None, None, build.fill_function


def function_state(thing: types.FunctionType, cells: tuple[types.CellType, ...]) -> dict[str, Any]:
    state: dict[str, Any] = {
        "cells": [(cell, cell.cell_contents) for cell in cells if filled(cell)],
        "dict": dict(thing.__dict__),
        "__qualname__": thing.__qualname__,
        "__module__": thing.__module__,
        "__doc__": thing.__doc__,
        "__annotations__": dict(thing.__annotations__),
        "__defaults__": thing.__defaults__,
        "__kwdefaults__": thing.__kwdefaults__,
    }
    return {key: value for key, value in state.items() if value is not None}


def filled(cell: types.CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True


class Globals:
    """The globals of a function: a module's own dict by name, or a dict of what is read."""

    def __init__(self, thing: types.FunctionType, state: dict[str, Any] | None) -> None:
        self.name = thing.__globals__.get("__name__", "__main__") if state is None else None
        self.state = state

    def __reduce__(self) -> Any:
        if self.state is None:
            return build.namespace, (self.name,)
        return build.namespace, (None,), self.state, None, None, build.fill_namespace


def cell(thing: types.CellType) -> Any:
    """A closure cell, empty: the functions that share it bring its contents."""
    return build.empty_cell, ()


def code(thing: types.CodeType) -> Any:
    """A code object, for the same minor version of Python; places of this machine left out."""
    moved = thing.replace(co_filename=CODE_NAME, co_firstlineno=1)
    return build.code, tuple(getattr(moved, f"co_{field}") for field in FIELDS)


def method(thing: types.MethodType) -> Any:
    """A bound method: its function may have another name than the one it is found under."""
    name = getattr(thing.__func__, "__name__", "")
    if getattr(thing.__self__, name, None) == thing:
        return getattr, (thing.__self__, name)
    return build.bound, (thing.__func__, thing.__self__)


def cached(thing: Any) -> Any:
    """`functools.lru_cache`: the function ships, its cache begins empty."""
    options = thing.cache_parameters()
    inner = getattr(thing, "__wrapped__", None)
    if inner is None:
        raise Unshippable(
            "capture.unpicklable", "a cache without its function cannot be built again"
        )
    state = {key: value for key, value in thing.__dict__.items() if key != "__wrapped__"}
    return build.cached, (inner, options["maxsize"], options["typed"]), state or None

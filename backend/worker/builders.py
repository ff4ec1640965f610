"""What a snapshot's pickle stream may name, apart from the user's own packages. Format 1.

A builder's name and meaning never change; new ones may be added. numpy and torch are imported only
by the builders that make their objects.
"""

from __future__ import annotations

import functools
import importlib
import sys
import threading
import types
import weakref
from typing import Any, Dict, Optional, Tuple


def defined(path: str) -> Any:
    """What source.py defines as `path`: `Net`, or `Net.forward`."""
    found = sys.modules["__main__"]
    for name in path.split("."):
        found = vars(found)[name] if isinstance(found, type) else getattr(found, name)
    return getattr(found, "__func__", found) if "." in path else found


def module(name: str) -> types.ModuleType:
    """An imported module."""
    return importlib.import_module(name)


# Functions and classes that source.py cannot define again


def code(*fields: Any) -> types.CodeType:
    """A code object of this Python's minor version."""
    return types.CodeType(*fields)


def code_in(holder: str, name: str) -> types.CodeType:
    """The code called `name` within a function of source.py that is there to carry it."""
    for constant in defined(holder).__code__.co_consts:
        if isinstance(constant, types.CodeType) and constant.co_name == name:
            return constant
    raise LookupError("{} holds no code called {}".format(holder, name))


def namespace(name: Optional[str]) -> Dict[str, Any]:
    """Globals of functions: a module's own dict, or a fresh one where `name` is None."""
    if name is None:
        return {"__builtins__": __builtins__}
    return vars(sys.modules.get(name) or importlib.import_module(name))


def fill_namespace(names: Dict[str, Any], state: Dict[str, Any]) -> None:
    """Give fresh globals what their functions read."""
    names.update(state)


def empty_cell() -> Any:
    """A closure cell; the functions that share it fill it."""
    return types.CellType()


def function(code: Any, names: Any, name: str, cells: Any) -> types.FunctionType:
    """A function without its state."""
    return types.FunctionType(code, names, name, None, cells)


def fill_function(made: Any, state: Dict[str, Any]) -> None:
    """Contents of the cells, and the attributes."""
    for cell, contents in state.pop("cells"):
        cell.cell_contents = contents
    made.__dict__.update(state.pop("dict"))
    for name, value in state.items():
        setattr(made, name, value)


def class_(metaclass: Any, name: str, bases: Tuple[Any, ...], first: Dict[str, Any]) -> type:
    """A class without its entries; `first` holds what must be there from the start."""
    return types.new_class(name, bases, {"metaclass": metaclass}, lambda body: body.update(first))


def enum_(metaclass: Any, name: str, bases: Any, first: Dict[str, Any], members: Any) -> Any:
    """An enumeration with its members."""
    body = metaclass.__prepare__(name, bases)
    for key, value in list(first.items()) + list(members.items()):
        body[key] = value
    return metaclass.__new__(metaclass, name, bases, body)


def fill_class(made: Any, entries: Dict[str, Any]) -> None:
    """Set the entries of a class, in their order."""
    for name, value in entries.items():
        setattr(made, name, value)


def field_kind(name: str) -> Any:
    """The marks that dataclasses put on fields; they are compared by identity."""
    import dataclasses

    return getattr(dataclasses, name)


def bound(function: Any, self: Any) -> types.MethodType:
    """A method of an object."""
    return types.MethodType(function, self)


def cached(function: Any, maxsize: Any, typed: bool) -> Any:
    """`functools.lru_cache`, empty."""
    return functools.lru_cache(maxsize, typed)(function)


# Things that only exist within a process


def lock() -> Any:
    """An unlocked lock."""
    return threading.Lock()


def rlock() -> Any:
    """An unlocked re-entrant lock."""
    return threading.RLock()


def weak(target: Any) -> Any:
    """A weak reference to something that another name keeps alive."""
    return weakref.ref(target)


def proxy(mapping: Any) -> Any:
    """A read-only view of a mapping."""
    return types.MappingProxyType(mapping)


def view(owner: Any) -> memoryview:
    """A memoryview of all of `owner`."""
    return memoryview(owner)


def empty_set() -> Any:
    """A set, filled by `fill_set` so that it may contain what contains it."""
    return set()


def fill_set(made: Any, items: Any) -> None:
    """Add the items, which travel in canonical order."""
    made.update(items)


# Arrays and tensors over shared memory


def region(buffer: Any) -> Any:
    """A stretch of memory that arrays lie in: mapped copy-on-write, or a bytearray."""
    return buffer


def array(memory: Any, dtype: Any, shape: Any, strides: Any, offset: int, writable: bool) -> Any:
    """A numpy array that lies in a region."""
    numpy = importlib.import_module("numpy")
    made = numpy.ndarray(shape, dtype, memory, offset, strides)
    made.flags.writeable = writable
    return made


def array_in_order(memory: Any, dtype: Any, shape: Any, order: str) -> Any:
    """A numpy array that has a region for itself."""
    return importlib.import_module("numpy").ndarray(shape, dtype, memory, 0, None, order)


def storage(memory: Any) -> Any:
    """A torch storage over a region."""
    torch = importlib.import_module("torch")
    if not len(memory):
        return torch.UntypedStorage(0)
    return torch.frombuffer(memory, dtype=torch.uint8).untyped_storage()


def tensor(
    storage: Any, dtype: str, offset: int, size: Any, stride: Any, requires_grad: bool
) -> Any:
    """A torch tensor that lies in a storage; `dtype` by its name."""
    torch = importlib.import_module("torch")
    made = torch.empty(0, dtype=getattr(torch, dtype))
    made.set_(storage, offset, size, stride)
    made.requires_grad_(requires_grad)
    return made


def parameter(data: Any, requires_grad: bool) -> Any:
    """A torch parameter."""
    return importlib.import_module("torch").nn.Parameter(data, requires_grad)

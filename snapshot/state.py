"""What a definition is, as digests by path: the same text in any process for the same state.

This file travels with a candidate (`admit/state.py`) and is run by the worker as it is, so that
both sides always agree. Hence: the standard library only, and syntax of Python 3.8.
"""

from __future__ import annotations

import copyreg
import hashlib
import sys
import types
import weakref
from typing import Any

# made anew by each execution, or no state: never compared
# fmt: off
IGNORED = frozenset((
    "__dict__", "__weakref__", "__abstractmethods__", "_abc_impl", "__subclasshook__",
    "__slotnames__",
    "__doc__", "__module__", "__qualname__", "__annotations__", "__static_attributes__",
    "__firstlineno__", "__annotate__", "__annotate_func__", "__annotations_cache__",
    "__parameters__", "__orig_bases__", "__slots__", "__match_args__", "__hash__",
    "__dataclass_fields__", "__dataclass_params__", "__signature__", "__class_vars__",
    "__private_attributes__", "__wrapped__",
))
# fmt: on
SLOT_TYPES = (types.MemberDescriptorType, types.GetSetDescriptorType, types.WrapperDescriptorType)
WEAK = (weakref.ref, weakref.WeakKeyDictionary, weakref.WeakValueDictionary, weakref.WeakSet)
FUTURE_FLAGS = 0x1000000 | 0x800000  # co_flags of `from __future__ import annotations`, by version
NESTED = 0x10  # co_flags: stands in another function, which says nothing of what it does
LARGE = 64 << 20  # bytes of a buffer that are read in full


def describe(thing: Any) -> dict[str, str]:
    """Digests of the state of a function, a class, or what a decorator made of one, by path."""
    return {path: digest(value) for path, value in parts(thing)}


def parts(thing: Any) -> list[tuple[str, Any]]:
    """(path, value) of everything that re-running a definition must reproduce."""
    if hasattr(thing, "registry") and hasattr(thing, "dispatch"):  # functools.singledispatch
        return [("registry", dict(thing.registry))]
    if isinstance(thing, types.FunctionType):
        return function_parts(thing)
    if isinstance(thing, type):
        return class_parts(thing)
    return [("type", type(thing)), *wrapper_parts(thing)]


def function_parts(thing: Any) -> list[tuple[str, Any]]:
    found = [
        ("code", thing.__code__),
        ("__defaults__", thing.__defaults__),
        ("__kwdefaults__", thing.__kwdefaults__),
    ]
    names = thing.__code__.co_freevars
    cells = zip(names, thing.__closure__ or ())  # noqa: B905 - Python 3.8
    found += [("closure." + name, cell) for name, cell in cells if name != "__class__"]
    found += [(name, value) for name, value in thing.__dict__.items() if name not in IGNORED]
    return found


def class_parts(thing: Any) -> list[tuple[str, Any]]:
    found = [("bases", thing.__bases__), ("metaclass", type(thing))]
    for name, value in vars(thing).items():
        if (
            name in IGNORED
            or name.startswith(("__pydantic_", "__attrs_"))
            or isinstance(value, SLOT_TYPES)
        ):
            continue
        found.append((name, value))
    return found


def wrapper_parts(thing: Any) -> list[tuple[str, Any]]:
    """What a decorator's object holds: all of it, or for a library's type the function inside."""
    if type(thing).__module__ == "__main__":
        return [("state." + name, value) for name, value in getattr(thing, "__dict__", {}).items()]
    names = ("__wrapped__", "py_func", "func", "__func__", "fget")
    found = [(name, getattr(thing, name, None)) for name in names]
    kinds = (types.FunctionType, type)
    return [("state." + name, value) for name, value in found if isinstance(value, kinds)]


def digest(value: Any) -> str:
    """A hex digest of a value's structure."""
    return Walk({}).digest(value)


class Walk:
    """Digests a canonical text of a value. `seen` numbers the objects on the way here."""

    def __init__(self, seen: dict[int, int]) -> None:
        self.hasher = hashlib.blake2b(digest_size=16)
        self.seen = seen
        self.alive: list[Any] = []  # their ids stay their own

    def digest(self, value: Any) -> str:
        try:
            self.walk(value)
        except RecursionError:
            return "too deep"
        return self.hasher.hexdigest()

    def inner(self, value: Any) -> str:
        """A digest of its own, for what has no order; cycles still end."""
        return Walk(dict(self.seen)).digest(value)

    def text(self, *words: Any) -> None:
        for word in words:
            self.hasher.update(str(word).encode("utf-8", "surrogatepass") + b"\0")

    def walk(self, value: Any) -> None:
        kind = type(value)
        plain = PLAIN.get(kind)
        if plain is not None:
            self.text(kind.__name__, plain(value))
            return
        if id(value) in self.seen:
            self.text("again", self.seen[id(value)])
            return
        self.seen[id(value)] = len(self.seen)
        self.alive.append(value)
        self.by_kind(kind, value)

    def by_kind(self, kind: Any, value: Any) -> None:
        walker = WALKERS.get(kind)
        if walker is not None:
            walker(self, value)
        elif isinstance(value, type):
            self.named(value)
        elif (
            kind.__module__ == "numpy" and kind.__name__ == "ndarray" and not value.dtype.hasobject
        ):
            self.array(value)
        else:
            self.reduced(value)

    def each(self, word: str, values: Any) -> None:
        self.text(word)
        for value in values:
            self.walk(value)
        self.text("end")

    def unordered(self, word: str, values: Any) -> None:
        self.text(word, *sorted(self.inner(value) for value in values))

    def mapping(self, value: Any) -> None:
        self.text(type(value).__name__)
        for _, key in sorted((self.inner(key), Hidden(key)) for key in value):
            self.walk(key.thing)
            self.walk(value[key.thing])
        self.text("end")

    def named(self, value: Any) -> None:
        self.text("named", getattr(value, "__module__", ""), getattr(value, "__qualname__", ""))

    def function(self, value: Any) -> None:
        if importable(value):
            self.named(value)
        else:
            self.each("function", (part for _, part in function_parts(value)))

    def code(self, value: Any) -> None:
        constants = [c for c in value.co_consts if not isinstance(c, types.CodeType)]
        inner = [c for c in value.co_consts if isinstance(c, types.CodeType)]
        self.text("code", value.co_name, value.co_argcount, value.co_kwonlyargcount)
        self.text(value.co_posonlyargcount, value.co_varnames[: value.co_argcount])
        self.text(
            sorted(value.co_names),
            value.co_freevars,
            value.co_flags & ~FUTURE_FLAGS & ~NESTED & 0xFFF,
        )
        self.unordered("constants", constants)
        self.each("inner", inner)

    def cell(self, value: Any) -> None:
        try:
            contents = value.cell_contents
        except ValueError:
            self.text("empty cell")
            return
        self.each("cell", [contents])

    def method(self, value: Any) -> None:
        self.each("method", [value.__func__, value.__self__])

    def wrapper(self, value: Any) -> None:
        self.each(type(value).__name__, [value.__func__])

    def property_(self, value: Any) -> None:
        self.each("property", [value.fget, value.fset, value.fdel])

    def array(self, value: Any) -> None:
        self.text("array", value.dtype.str, value.shape)
        data = value.tobytes() if value.nbytes <= LARGE else value.ravel()[:1024].tobytes()
        self.hasher.update(data)

    def reduced(self, value: Any) -> None:
        """As pickle would take it apart; by its attributes where pickle cannot."""
        self.named(type(value))
        if isinstance(value, WEAK):
            return
        try:
            reducer = copyreg.dispatch_table.get(type(value))
            taken = reducer(value) if reducer else value.__reduce_ex__(4)
        except Exception:  # user code: it may raise anything
            taken = (type(value), (), getattr(value, "__dict__", None))
        if isinstance(taken, str):
            self.text("global", taken)
            return
        items = [None if part is None else list(part) for part in taken[3:5]]
        self.walk((taken[:3], items))


class Hidden:
    """Lets a tuple be sorted by what stands before it."""

    def __init__(self, thing: Any) -> None:
        self.thing = thing

    def __lt__(self, other: Any) -> bool:
        return False


def importable(value: Any) -> bool:
    """Whether a function can be found again under its name in a module of its own."""
    found = sys.modules.get(value.__module__ or "")
    if value.__module__ == "__main__" or found is None:
        return False
    for name in value.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is value


PLAIN: dict[Any, Any] = dict.fromkeys(
    (type(None), bool, int, float, complex, str, bytes, type(...)), repr
)
PLAIN[range] = repr
PLAIN[bytearray] = bytes
WALKERS = {
    list: lambda walk, value: walk.each("list", value),
    tuple: lambda walk, value: walk.each("tuple", value),
    set: lambda walk, value: walk.unordered("set", value),
    frozenset: lambda walk, value: walk.unordered("frozenset", value),
    dict: Walk.mapping,
    types.MappingProxyType: Walk.mapping,
    types.FunctionType: Walk.function,
    types.BuiltinFunctionType: Walk.named,
    types.ModuleType: lambda walk, value: walk.text("module", value.__name__),
    types.CodeType: Walk.code,
    types.CellType: Walk.cell,
    types.MethodType: Walk.method,
    staticmethod: Walk.wrapper,
    classmethod: Walk.wrapper,
    property: Walk.property_,
}

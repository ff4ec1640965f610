"""One pickle stream for all values: identity kept, large buffers outside, sets in order."""

from __future__ import annotations

import functools
import io
import pickle
import types
import weakref
from collections.abc import Callable
from typing import Any, Protocol

from cellship.snapshot import reduce_classes, reduce_functions, reduce_process
from cellship.snapshot.arrays import Arrays, Copy, Region, Storage
from cellship.snapshot.canonical import Ordered, StandIn
from cellship.snapshot.importable import import_path, in_types
from cellship.snapshot.live import check_live
from cellship.snapshot.standin import build

INLINE = 4096  # bytes; smaller buffers stay in the stream
PARTS = (StandIn, Region, Copy, Storage, reduce_functions.Globals)  # our own, with a __reduce__
SINGLETONS = (type(None), type(...), type(NotImplemented))


class References(Protocol):
    """What a stream asks about functions, classes and modules that it meets."""

    def reference(self, thing: Any) -> str | None:
        """The path under which source.py defines `thing`; None: it goes by value."""

    def module(self, name: str) -> None:
        """A module that the stream names."""

    def reads(self, function: types.FunctionType) -> dict[str, Any] | None:
        """A function goes by value. Its globals, if they are not the notebook's or a module's."""

    def code(self, code: types.CodeType) -> tuple[str, str] | None:
        """(function of source.py, name) of the code within it; None: the code goes as it is."""

    def remade(self, thing: Any) -> None:
        """`thing` is made anew, not as it is: a lock."""

    def keep(self, target: Any) -> None:
        """A weak reference points at `target`. Raises Unshippable if nothing keeps it alive."""


class Graph(pickle.Pickler):
    """Writes values that share one memo.

    `buffers` collects the out-of-band buffers in the order of the stream; `inline`: there are none.
    """

    def __init__(
        self, file: Any, references: References, arrays: Arrays, inline: bool = False
    ) -> None:
        super().__init__(file, protocol=5, buffer_callback=None if inline else self.take)
        self.references = references
        self.arrays = arrays
        self.buffers: list[pickle.PickleBuffer] = []
        self._usual: set[type] = set()  # met before, and left to pickle
        self.codes = 0  # code objects written, each bound to this minor version of Python
        self.ordered = Ordered()
        self.by_type: dict[type, Callable[[Any], Any]] = {
            **reduce_process.reducers(references),
            types.FunctionType: self.function,
            types.ModuleType: self.module,
            types.CodeType: self.code,
            types.BuiltinFunctionType: self.builtin,
            types.CellType: reduce_functions.cell,
            types.MethodType: reduce_functions.method,
            property: reduce_classes.property_,
            staticmethod: reduce_classes.static_method,
            classmethod: reduce_classes.class_method,
            functools._lru_cache_wrapper: reduce_functions.cached,
            weakref.ReferenceType: self.weak,
        }

    def met(self) -> set[int]:
        """Ids of the objects that the stream holds as one."""
        return {*self.memo.copy(), *self.ordered.met()}

    def take(self, buffer: pickle.PickleBuffer) -> bool:
        """Whether this buffer stays in the stream (protocol 5's question)."""
        with memoryview(buffer) as view:
            if view.nbytes < INLINE or not view.c_contiguous:
                return True
        self.buffers.append(buffer)
        return False

    def persistent_id(self, thing: Any) -> Any:
        """Sets have no order of their own: they travel as something ordered."""
        kind = type(thing)
        return self.ordered.stand_in(thing) if kind is set or kind is frozenset else None

    def reducer_override(self, thing: Any) -> Any:
        """How objects that the pickle module cannot hold, or would split, are built again."""
        kind = type(thing)
        if kind in self._usual:
            return NotImplemented
        reduce = self.by_type.get(kind)
        if reduce is not None:
            return reduce(thing)
        if issubclass(kind, type):  # isinstance takes list[int] for a class on Python 3.10
            return self.class_(thing)
        reduced = self.special(thing)
        if reduced is not None:
            return reduced
        self._usual.add(kind)
        return NotImplemented

    def special(self, thing: Any) -> Any:
        """The reduction of an object of an unusual type; None for types that pickle knows."""
        kind = type(thing)
        if kind in PARTS:
            return NotImplemented
        if kind.__module__ == "typing":
            return self.named(thing) or NotImplemented
        check_live(thing)
        self.note(kind)
        if isinstance(thing, BaseException):
            return reduce_classes.exception(thing)
        return self.arrays.reduce(thing)

    def function(self, thing: types.FunctionType) -> Any:
        if thing.__module__ == build.__name__ or self.note(thing):
            return NotImplemented
        found = self.named(thing)
        return reduce_functions.function(thing, self.references) if found is None else found

    def class_(self, thing: type) -> Any:
        if thing in SINGLETONS or self.note(thing):
            return NotImplemented
        if thing.__module__ == "builtins" and (name := in_types(thing)):
            return getattr, (types, name)
        found = self.named(thing)
        return reduce_classes.class_(thing) if found is None else found

    def note(self, thing: Any) -> bool:
        """Whether `thing` can be imported; then its module is one that the stream names."""
        path = import_path(thing)
        if path is not None:
            self.references.module(path[0])
        return path is not None

    def builtin(self, thing: Any) -> Any:
        self.note(thing)
        return NotImplemented

    def code(self, thing: types.CodeType) -> Any:
        found = self.references.code(thing)
        if found is not None:
            return build.code_in, found
        self.codes += 1
        return reduce_functions.code(thing)

    def named(self, thing: Any) -> Any:
        """A reference to what source.py defines; None if it does not."""
        path = self.references.reference(thing)
        return None if path is None else (build.defined, (path,))

    def module(self, thing: types.ModuleType) -> Any:
        self.references.module(thing.__name__)
        return build.module, (thing.__name__,)

    def weak(self, thing: Any) -> Any:
        target = thing()
        self.references.keep(target)
        return build.weak, (target,)


class Nowhere(io.RawIOBase):
    """Swallows a stream that is only looked through."""

    def write(self, data: Any) -> int:
        return len(data)

"""Things that exist only within a process and can be made again: locks, views, proxies."""

from __future__ import annotations

import dataclasses
import gc
import threading
import types
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from cellship.snapshot.refusal import Unshippable
from cellship.snapshot.standin import build

if TYPE_CHECKING:
    from cellship.snapshot.graph import References

LOCK = type(threading.Lock())
RLOCK = type(threading.RLock())
FIELD_KIND = type(getattr(dataclasses, "_FIELD"))  # noqa: B009


def reducers(references: References) -> dict[type, Callable[[Any], Any]]:
    """Reducers by exact type."""
    return {
        LOCK: partial(lock, references),
        RLOCK: partial(rlock, references),
        types.MappingProxyType: proxy,
        memoryview: view,
        FIELD_KIND: field_kind,
    }


def lock(references: References, thing: Any) -> Any:
    """A lock is made again, unlocked."""
    if thing.locked():
        raise Unshippable(
            "capture.lock",
            "A lock that is held cannot move to another process.",
            "Release it before you ship.",
        )
    references.remade(thing)
    return build.lock, ()


def rlock(references: References, thing: Any) -> Any:
    """The same for a re-entrant lock, which cannot be asked before Python 3.14."""
    if "locked" in repr(thing) and "unlocked" not in repr(thing):
        return lock(references, Held())
    references.remade(thing)
    return build.rlock, ()


class Held:
    """Answers like a lock that is held."""

    def locked(self) -> bool:
        return True


def proxy(thing: Any) -> Any:
    """A read-only view keeps the very mapping that it shows."""
    shown = gc.get_referents(thing)
    return build.proxy, (shown[0] if len(shown) == 1 else dict(thing),)


def view(thing: memoryview) -> Any:
    """A memoryview of a whole bytes-like object."""
    owner: Any = thing.obj
    whole = thing.format == "B" and thing.ndim == 1 and thing.c_contiguous
    if not whole or not isinstance(owner, bytes | bytearray) or len(owner) != thing.nbytes:
        raise Unshippable(
            "capture.memoryview",
            "A memoryview of a part of something cannot be built again.",
            "Keep bytes(view) or the object itself.",
        )
    return build.view, (owner,)


def field_kind(thing: Any) -> Any:
    """The marks of dataclass fields, which are compared by identity."""
    for name in ("_FIELD", "_FIELD_CLASSVAR", "_FIELD_INITVAR"):
        if getattr(dataclasses, name) is thing:
            return build.field_kind, (name,)
    return NotImplemented

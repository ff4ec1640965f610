"""An order for sets that is the same in every process."""

from __future__ import annotations

from typing import Any

from cellship.snapshot.standin import build
from cellship.snapshot.state import digest

PLAIN = frozenset({str, int, bytes})


class Ordered:
    """Stand-ins for the sets of one stream, one per set, so that a shared set stays one."""

    def __init__(self) -> None:
        self._stand_ins: dict[int, StandIn] = {}

    def met(self) -> set[int]:
        """Ids of the sets that were met."""
        return set(self._stand_ins)

    def stand_in(self, thing: Any) -> Any:
        """An object whose reduction makes the set."""
        found = self._stand_ins.get(id(thing))
        if found is None:
            found = self._stand_ins[id(thing)] = StandIn(thing)
        return found


class StandIn:
    """Builds a set again, its items in canonical order."""

    def __init__(self, thing: Any) -> None:
        self.thing = thing  # kept alive, so that its id stays its own

    def __reduce__(self) -> Any:
        items = in_order(self.thing)
        if isinstance(self.thing, frozenset):
            return frozenset, (items,)
        return build.empty_set, (), items, None, None, build.fill_set


def in_order(items: Any) -> list[Any]:
    """The items sorted by what they are, never by hash or address."""
    try:
        if len({type(item) for item in items}) <= 1 and all(type(item) in PLAIN for item in items):
            return sorted(items)
    except TypeError:
        pass
    return sorted(items, key=digest)

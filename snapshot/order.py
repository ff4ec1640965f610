"""The order of source.py: imports, constants, definitions, loads; what is needed comes first."""

from __future__ import annotations

from collections.abc import Mapping

from cellship.snapshot.items import (
    Alias,
    Constant,
    Definition,
    Import,
    Inner,
    Item,
    Patch,
    Setting,
    Value,
)

RANK = {Import: 0, Setting: 1, Constant: 2, Definition: 3, Inner: 3, Alias: 3, Value: 4, Patch: 5}


class NeedsItself(Exception):
    """Running this definition again will not do: it needs itself, or shares state with a value."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def in_order(items: Mapping[str, Item]) -> list[Item]:
    """All items, each after what it needs to run. Raises NeedsItself."""
    ordering = Ordering(items)
    for item in sorted(items.values(), key=rank):
        ordering.place(item.key)
    return ordering.placed


def rank(item: Item) -> tuple[int, tuple[int, int], str]:
    return RANK[type(item)], item.position, item.key


def early_values(items: Mapping[str, Item]) -> dict[str, list[str]]:
    """Values that are there when a definition that calls code runs -> those definitions."""
    ordering = Ordering(items)
    found: dict[str, list[str]] = {}
    for item in items.values():
        if isinstance(item, Definition) and item.active:
            for key in ordering.before(item.key):
                if isinstance(items[key], Value | Constant):
                    found.setdefault(key, []).append(item.key)
    return {key: sorted(definitions) for key, definitions in sorted(found.items())}


class Ordering:
    """Depth first over what must run before."""

    def __init__(self, items: Mapping[str, Item]) -> None:
        self.items = items
        self.placed: list[Item] = []
        self._done: set[str] = set()
        self._open: list[str] = []

    def place(self, key: str) -> None:
        """Place what `key` needs first, with all that those may call, then `key`."""
        if key in self._done or key not in self.items:
            return
        if key in self._open:
            raise NeedsItself(self.definition_in_cycle(key))
        self._open.append(key)
        for other in self.before(key):
            if other not in self._open:
                self.place(other)
        for other in self.items[key].first:
            self.place(other)
        self._open.pop()
        self._done.add(key)
        self.placed.append(self.items[key])

    def before(self, key: str) -> list[str]:
        """What `key` needs first and all that those may call, nearest the notebook's order."""
        found: dict[str, None] = {}
        waiting = list(self.items[key].first)
        while waiting:
            other = waiting.pop()
            if other in found or other == key or other not in self.items:
                continue
            found[other] = None
            waiting += [*self.items[other].first, *self.items[other].later]
        return [item.key for item in sorted((self.items[k] for k in found), key=rank)]

    def definition_in_cycle(self, key: str) -> str:
        cycle = self._open[self._open.index(key) :]
        definitions = [k for k in cycle if isinstance(self.items[k], Definition)]
        return definitions[-1] if definitions else key

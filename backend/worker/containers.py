"""Shapes of lists, tuples, sets and dicts."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, Sequence

from .shapes import Mismatch, Shape


class ListOf(Shape):
    """A JSON list. `make` turns the list of built items into the type of the hint."""

    natural = frozenset([list])

    def __init__(
        self, items: Shape, root: Mapping[str, Any], make: Callable[[List[Any]], Any] = list
    ) -> None:
        schema: Dict[str, Any] = {"type": "array"}
        if items.schema:
            schema["items"] = items.schema
        super().__init__(schema, root)
        self._items = items
        self._make = None if make is list else make

    def build(self, value: Any) -> Any:
        if type(value) is not list:
            raise self.refusal(value)
        built = self._items.build_all(value)
        if self._make is None:
            return built
        try:
            return self._make(built)
        except TypeError as error:  # a set of lists
            raise Mismatch([("", str(error))]) from error


class FixedTuple(Shape):
    """A tuple of so many items, each with its own shape; the last ones may have defaults."""

    def __init__(
        self,
        items: Sequence[Shape],
        root: Mapping[str, Any],
        make: Callable[[List[Any]], Any] = tuple,
        least: int = -1,
    ) -> None:
        self._least = len(items) if least < 0 else least
        schema: Dict[str, Any] = {
            "type": "array",
            "minItems": self._least,
            "maxItems": len(items),
        }
        if items:
            schema["prefixItems"] = [item.schema for item in items]
        super().__init__(schema, root)
        self._items = items
        self._make = make

    def build(self, value: Any) -> Any:
        if type(value) is not list:
            raise self.refusal(value)
        if not self._least <= len(value) <= len(self._items):
            wanted = "{} items wanted, got {}".format(len(self._items), len(value))
            raise Mismatch([("", wanted)])
        built = []
        for position, each in enumerate(value):
            try:
                built.append(self._items[position].build(each))
            except Mismatch as error:
                raise error.under(position) from error
        return self._make(built)


class DictOf(Shape):
    """A JSON object as a dict; keys are text in JSON, and become what the hint says."""

    natural = frozenset([dict])

    def __init__(self, keys: Shape, values: Shape, root: Mapping[str, Any]) -> None:
        schema: Dict[str, Any] = {"type": "object"}
        if values.schema:
            schema["additionalProperties"] = values.schema
        super().__init__(schema, root)
        self._keys = keys
        self._values = values

    def build(self, value: Any) -> Any:
        if type(value) is not dict:
            raise self.refusal(value)
        built = {}
        for key, item in value.items():
            try:
                built[self._keys.build(key)] = self._values.build(item)
            except Mismatch as error:
                raise error.under(key) from error
        return built


class NumberKeys(Shape):
    """`int` or `float` as the key of a dict: text in JSON."""

    def __init__(self, kind: type, schema: Mapping[str, Any], root: Mapping[str, Any]) -> None:
        super().__init__(schema, root)
        self._kind = kind

    def build(self, value: Any) -> Any:
        try:
            return self._kind(value)
        except ValueError as error:
            raise self.refusal(value) from error

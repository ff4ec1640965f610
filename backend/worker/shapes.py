"""Shapes: what JSON a type hint takes, and how the Python value is built from it.

A shape is a JSON Schema and a `build` that agree: what the schema takes, `build` takes, and the
rest is a `Mismatch`. Scalars are in scalars.py, containers in containers.py, classes with fields in
structures.py, numpy and pandas in arrays.py, pydantic in models.py; hints.py finds the shape of
a hint.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, FrozenSet, List, Mapping, Sequence, Tuple

from .words import mismatch


class Mismatch(Exception):
    """A JSON value that a shape does not take: (JSON pointer, message) of each wrong place."""

    def __init__(self, found: Sequence[Tuple[str, str]]) -> None:
        super().__init__(found)
        self.found = list(found)

    def under(self, key: Any) -> Mismatch:
        """The same, seen from the container that holds the value under `key`."""
        step = "/" + str(key).replace("~", "~0").replace("/", "~1")
        return Mismatch([(step + path, message) for path, message in self.found])


class Shape:
    """Takes any JSON value as it is. `root` holds the `$defs` that schemas may refer to."""

    natural: FrozenSet[type] = frozenset()  # types of JSON values that it is meant for

    def __init__(self, schema: Mapping[str, Any], root: Mapping[str, Any]) -> None:
        self.schema: Dict[str, Any] = dict(schema)
        self.root = root

    def build(self, value: Any) -> Any:
        """The Python value. Raises Mismatch."""
        return value

    def build_all(self, values: List[Any]) -> List[Any]:
        """`build` for the items of a list. Raises Mismatch with their positions."""
        built = []
        for position, value in enumerate(values):
            try:
                built.append(self.build(value))
            except Mismatch as error:
                raise error.under(position) from error
        return built

    def refusal(self, value: Any) -> Mismatch:
        """What to raise for a value of another kind."""
        return Mismatch([("", mismatch(self.schema, self.root, value))])


class Plain(Shape):
    """A JSON type that is a Python type: text, true or false, null."""

    def __init__(self, kind: type, schema: Mapping[str, Any], root: Mapping[str, Any]) -> None:
        super().__init__(schema, root)
        self.natural = frozenset([kind])

    def build(self, value: Any) -> Any:
        if type(value) not in self.natural:
            raise self.refusal(value)
        return value

    def build_all(self, values: List[Any]) -> List[Any]:
        if set(map(type, values)) <= self.natural:
            return values
        return super().build_all(values)


class Whole(Plain):
    """`int`: also 3.0, which JSON does not tell from 3."""

    def build(self, value: Any) -> Any:
        if type(value) is int:
            return value
        if type(value) is float and value.is_integer():
            return int(value)
        raise self.refusal(value)


class Number(Shape):
    """`float`: whole numbers become floats, as the hint promises the function."""

    natural = frozenset([float])

    def build(self, value: Any) -> Any:
        if type(value) is float:
            return value
        if type(value) is not int:
            raise self.refusal(value)
        try:
            return float(value)
        except OverflowError as error:
            raise self.refusal(value) from error

    def build_all(self, values: List[Any]) -> List[Any]:
        kinds = set(map(type, values))
        if kinds <= self.natural:
            return values
        return super().build_all(values)


class Parsed(Shape):
    """A value that JSON holds as text, or (`also`) as a number."""

    def __init__(
        self,
        parse: Callable[[Any], Any],
        schema: Mapping[str, Any],
        root: Mapping[str, Any],
        also: Tuple[type, ...] = (),
    ) -> None:
        super().__init__(schema, root)
        self._parse = parse
        self.natural = frozenset((str, *also))

    def build(self, value: Any) -> Any:
        if type(value) not in self.natural:
            raise self.refusal(value)
        try:
            return self._parse(value)
        except (ValueError, ArithmeticError) as error:
            raise self.refusal(value) from error


class Either(Shape):
    """A union: the first alternative that builds; those meant for the JSON type come first."""

    def __init__(self, shapes: Sequence[Shape], root: Mapping[str, Any]) -> None:
        super().__init__({"anyOf": [shape.schema for shape in shapes]}, root)
        self._shapes = shapes
        self.natural = frozenset(kind for shape in shapes for kind in shape.natural)

    def build(self, value: Any) -> Any:
        kind, failed = type(value), []
        for shape in sorted(self._shapes, key=lambda shape: kind not in shape.natural):
            try:
                return shape.build(value)
            except Mismatch as error:
                failed.append(error)
        deeper = [error for error in failed if any(path for path, _ in error.found)]
        if len(deeper) == 1:
            raise deeper[0]  # one alternative fits in kind, and says what is wrong inside
        raise self.refusal(value)


class Choice(Shape):
    """`Literal` and `Enum`: one of some values. `members` pairs JSON values with Python values."""

    def __init__(self, members: Sequence[Tuple[Any, Any]], root: Mapping[str, Any]) -> None:
        super().__init__({"enum": [value for value, _ in members]}, root)
        # 1 and True are one key of a dict, and two values of JSON
        self._members = {(type(value), value): member for value, member in members}
        self.natural = frozenset(type(value) for value, _ in members)

    def build(self, value: Any) -> Any:
        if isinstance(value, (list, dict)) or (type(value), value) not in self._members:
            raise self.refusal(value)
        return self._members[type(value), value]

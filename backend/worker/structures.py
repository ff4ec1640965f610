"""Shapes of classes with fields: dataclasses, NamedTuples, TypedDicts."""

from __future__ import annotations

import dataclasses
import difflib
from typing import Any, Callable, Dict, Iterable, Mapping, Tuple

from .containers import FixedTuple
from .shapes import Mismatch, Shape

ShapeOf = Callable[[Any], Shape]


class Fields(Shape):
    """A JSON object with known fields. `make` is called with them as keywords."""

    natural = frozenset([dict])

    def __init__(
        self,
        fields: Mapping[str, Tuple[Shape, bool]],
        root: Mapping[str, Any],
        make: Callable[..., Any],
    ) -> None:
        super().__init__(object_schema(fields), root)
        self._fields = fields
        self._required = [name for name, (_, required) in fields.items() if required]
        self._make = make

    def build(self, value: Any) -> Any:
        if type(value) is not dict:
            raise self.refusal(value)
        built = build_fields(value, self._fields, self._required)
        try:
            return self._make(**built)
        except Exception as error:  # the user's __post_init__ says what is wrong with the input
            raise Mismatch([("", str(error) or type(error).__name__)]) from error


def object_schema(fields: Mapping[str, Tuple[Shape, bool]]) -> Dict[str, Any]:
    """JSON Schema of an object with exactly these fields: name -> (shape, required)."""
    return {
        "type": "object",
        "properties": {name: shape.schema for name, (shape, _) in fields.items()},
        "required": [name for name, (_, required) in fields.items() if required],
        "additionalProperties": False,
    }


def build_fields(
    value: Mapping[str, Any], fields: Mapping[str, Tuple[Shape, bool]], required: Any
) -> Dict[str, Any]:
    """The fields of `value`, built. Raises Mismatch: all that are missing, unknown or wrong."""
    built, found = {}, []
    for name, item in value.items():
        field = fields.get(name)
        if field is None:
            found += Mismatch([("", not_known(name, fields))]).under(name).found
            continue
        try:
            built[name] = field[0].build(item)
        except Mismatch as error:
            found += error.under(name).found
    for name in required:
        if name not in value:
            found += Mismatch([("", "missing")]).under(name).found
    if found:
        raise Mismatch(found)
    return built


def not_known(name: str, fields: Iterable[str]) -> str:
    """For a name that the object does not have: the nearest one, or those there are."""
    known = list(fields)
    near = difflib.get_close_matches(name, known, 1)
    if near:
        return "not known, did you mean {}?".format(near[0])
    return "not known; known: " + ", ".join(known) if known else "not known; nothing is taken here"


def structure(hint: type, hints: Mapping[str, Any], shape_of: ShapeOf, root: Any) -> Shape:
    """The shape of a dataclass, NamedTuple or TypedDict. Raises KeyError for any other class."""
    if dataclasses.is_dataclass(hint):
        fields = {
            field.name: (shape_of(hints.get(field.name, Any)), not has_default(field))
            for field in dataclasses.fields(hint)
            if field.init
        }
        return Fields(fields, root, hint)
    if is_typed_dict(hint):
        required = required_keys(hint)
        return Fields(
            {name: (shape_of(each), name in required) for name, each in hints.items()}, root, dict
        )
    if is_named_tuple(hint):
        return named_tuple(hint, hints, shape_of, root)
    raise KeyError(hint)


def named_tuple(hint: Any, hints: Mapping[str, Any], shape_of: ShapeOf, root: Any) -> Shape:
    items = [shape_of(hints.get(name, Any)) for name in hint._fields]
    least = len(items) - len(getattr(hint, "_field_defaults", {}))
    return FixedTuple(items, root, lambda values: hint(*values), least)


def has_default(field: Any) -> bool:
    missing = dataclasses.MISSING
    return field.default is not missing or field.default_factory is not missing


def is_structure(hint: Any) -> bool:
    return isinstance(hint, type) and (
        dataclasses.is_dataclass(hint) or is_typed_dict(hint) or is_named_tuple(hint)
    )


def is_typed_dict(hint: type) -> bool:
    return issubclass(hint, dict) and hasattr(hint, "__total__")


def is_named_tuple(hint: type) -> bool:
    return issubclass(hint, tuple) and hasattr(hint, "_fields")


def required_keys(hint: Any) -> Any:
    """Names that a TypedDict must hold; Python 3.8 knows only all or none."""
    known = getattr(hint, "__required_keys__", None)
    if known is not None:
        return known
    return frozenset(hint.__annotations__) if hint.__total__ else frozenset()

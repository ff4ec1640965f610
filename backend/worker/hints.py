"""From a type hint to its shape. What JSON cannot become is refused when the entry is shipped."""

from __future__ import annotations

import collections.abc
import enum
import inspect
import typing
from typing import Any, Dict, List, Mapping, Optional, Tuple

from . import resolving
from .arrays import array_shape
from .containers import DictOf, FixedTuple, ListOf, NumberKeys
from .models import model_shape
from .scalars import scalar
from .shapes import Choice, Either, Shape
from .structures import is_structure, structure

LISTS = (
    list,
    collections.abc.Sequence,
    collections.abc.MutableSequence,
    collections.abc.Iterable,
    collections.abc.Collection,
)
SETS = (set, collections.abc.Set, collections.abc.MutableSet)
DICTS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
# say something about a field, and nothing about its type
REMARKS = ("Required", "NotRequired", "ReadOnly", "Final", "ClassVar")
SCALARS = (str, int, float, bool, type(None))


class Unknown(Exception):
    """No JSON value becomes what this hint says."""

    def __init__(self, hint: Any) -> None:
        super().__init__(resolving.shown(hint))


class Hints:
    """Shapes of the hints of one callable; classes with fields are shared in `root["$defs"]`.

    `names` resolves quoted names; `mode` is pydantic's: "validation", "serialization" for answers.
    """

    def __init__(self, names: Mapping[str, Any], mode: str = "validation") -> None:
        self.root: Dict[str, Any] = {}
        self._names = names
        self._mode = mode
        self._structures: Dict[Any, Named] = {}

    def shape(self, hint: Any) -> Shape:
        """Raises Unknown."""
        if isinstance(hint, (str, typing.ForwardRef)):
            hint = resolving.resolved(hint, self._names)
        if hint in (Any, object, inspect.Parameter.empty) or not (
            hint is None or resolving.is_type(hint)
        ):
            return Shape({}, self.root)
        for find in (self._scalar, self._special, self._container, self._class):
            found = find(hint)
            if found is not None:
                return found
        raise Unknown(hint)

    def _scalar(self, hint: Any) -> Optional[Shape]:
        try:
            return scalar(hint, self.root)
        except (KeyError, TypeError):  # TypeError: a hint that cannot be hashed
            return None

    def _special(self, hint: Any) -> Optional[Shape]:
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if hasattr(hint, "__metadata__"):  # Annotated: constraints of pydantic, or only a remark
            return model_shape(hint, self.root, self._mode) or self.shape(hint.__origin__)
        if origin is typing.Union or type(hint).__name__ == "UnionType":
            return self._union(arguments)
        if getattr(origin, "_name", "") == "Literal":
            return Choice([(each, each) for each in literals(hint)], self.root)
        if getattr(origin, "_name", "") in REMARKS:
            return self.shape(arguments[0])
        if isinstance(hint, typing.TypeVar):
            return self._union(hint.__constraints__ or (hint.__bound__ or Any,))
        for same in ("__supertype__", "__value__"):  # NewType, and `type X = ...`
            if hasattr(hint, same) and not isinstance(hint, type):
                return self.shape(getattr(hint, same))
        return array_shape(origin or hint, arguments, self.root)

    def _union(self, alternatives: Tuple[Any, ...]) -> Shape:
        """Alternatives that JSON cannot become leave the value as it came."""
        shapes = []
        for each in alternatives:
            try:
                shapes.append(self.shape(each))
            except Unknown:
                shapes.append(Shape({}, self.root))
        return shapes[0] if len(shapes) == 1 else Either(shapes, self.root)

    def _container(self, hint: Any) -> Optional[Shape]:
        origin, arguments = typing.get_origin(hint) or hint, typing.get_args(hint)
        if origin is tuple:
            return self._tuple(arguments, hint in (tuple, typing.Tuple))
        if origin in LISTS:
            return ListOf(self._first(arguments), self.root)
        if origin in SETS or origin is frozenset:
            make = frozenset if origin is frozenset else set
            return ListOf(self._first(arguments), self.root, make)
        if origin in DICTS:
            keys, values = arguments if len(arguments) == 2 else (str, Any)
            return DictOf(self._key(keys), self.shape(values), self.root)
        return None

    def _tuple(self, arguments: Tuple[Any, ...], bare: bool) -> Shape:
        if bare or arguments[-1:] == (Ellipsis,):
            return ListOf(self._first(arguments), self.root, tuple)
        # Python before 3.11 has ((),) as the arguments of Tuple[()]
        return FixedTuple([self.shape(each) for each in arguments if each != ()], self.root)

    def _first(self, arguments: Tuple[Any, ...]) -> Shape:
        return self.shape(arguments[0] if arguments else Any)

    def _key(self, hint: Any) -> Shape:
        shape = self.shape(hint)
        return NumberKeys(hint, shape.schema, self.root) if hint in (int, float) else shape

    def _class(self, hint: Any) -> Optional[Shape]:
        if isinstance(hint, type) and issubclass(hint, enum.Enum):
            return enum_shape(hint, self.root)
        if is_structure(hint) and not is_pydantic(hint):
            return self._structure(hint)
        return model_shape(hint, self.root, self._mode)

    def _structure(self, hint: Any) -> Shape:
        if hint not in self._structures:
            # known before its fields are: a field may be of this class again
            named = self._structures[hint] = Named(self._free_name(hint.__name__), self.root)
            fields = resolving.of_class(hint, self._names)
            named.becomes(structure(hint, fields, self.shape, self.root))
        return self._structures[hint]

    def _free_name(self, name: str) -> str:
        defs, free, number = self.root.setdefault("$defs", {}), name, 2
        while free in defs:
            free, number = "{}{}".format(name, number), number + 1
        defs[free] = {}
        return free


class Named(Shape):
    """A shape in `$defs`, so that it can hold itself."""

    natural = frozenset([dict])

    def __init__(self, name: str, root: Mapping[str, Any]) -> None:
        super().__init__({"$ref": "#/$defs/" + name}, root)
        self._name = name
        self._shape: Shape = self

    def becomes(self, shape: Shape) -> None:
        self._shape = shape
        self.natural = shape.natural
        self.root["$defs"][self._name] = shape.schema

    def build(self, value: Any) -> Any:
        return self._shape.build(value)


def enum_shape(hint: Any, root: Mapping[str, Any]) -> Shape:
    """Members by their values, as they are answered too."""
    members = [(each.value, each) for each in hint]
    if not all(type(value) in SCALARS for value, _ in members):
        raise Unknown(hint)
    return Choice(members, root)


def literals(hint: Any) -> List[Any]:
    """The values of a Literal; Python 3.8 does not flatten those inside of it."""
    values: List[Any] = []
    for each in typing.get_args(hint):
        values += literals(each) if typing.get_origin(each) is not None else [each]
    if not all(type(each) in SCALARS for each in values):
        raise Unknown(hint)
    return values


def is_pydantic(hint: Any) -> bool:
    return hasattr(hint, "__pydantic_core_schema__") or hasattr(hint, "__get_validators__")

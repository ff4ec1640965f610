"""What an entry takes: its parameters, in the words of JSON."""

from __future__ import annotations

import functools
import inspect
import sys
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple

from .hints import Hints, Unknown
from .shapes import Mismatch, Shape
from .structures import build_fields, object_schema


class Unservable(Exception):
    """An entry that cannot be an endpoint; `message` and `hint` are for its author."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


class Signature:
    """The input of a callable. Raises Unservable where a JSON object cannot be its arguments."""

    def __init__(self, entry: Callable[..., Any], names: Mapping[str, Any]) -> None:
        self.name = name_of(entry)
        self._hints = Hints({**names, **global_names(entry)})
        self.fields: Dict[str, Tuple[Shape, bool]] = {}
        self.rest: Optional[Shape] = None  # of **kwargs
        for parameter in parameters(entry, self.name):
            self._add(parameter)
        self._required = [name for name, (_, required) in self.fields.items() if required]
        self.by_position = by_position(entry, self.fields)

    def schema(self) -> Dict[str, Any]:
        """JSON Schema 2020-12 of the request body."""
        schema = object_schema(self.fields)
        if self.rest is not None:
            schema["additionalProperties"] = self.rest.schema or True
        return {**schema, **self._hints.root}

    def build(self, body: Mapping[str, Any]) -> Dict[str, Any]:
        """Keyword arguments from the JSON object of a request. Raises Mismatch."""
        if self.rest is None:
            return build_fields(body, self.fields, self._required)
        fields = {name: self.fields.get(name, (self.rest, False)) for name in body}
        return build_fields(body, fields, self._required)

    def _add(self, parameter: inspect.Parameter) -> None:
        refuse_kind(parameter, self.name)
        try:
            shape = self._hints.shape(parameter.annotation)
        except Unknown as error:
            raise no_json(self.name, parameter.name, str(error)) from error
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            self.rest = shape
            return
        required = parameter.default is inspect.Parameter.empty
        if not required:
            shape = with_default(shape, parameter.default)
        self.fields[parameter.name] = (shape, required)


class Defaulted(Shape):
    """A shape whose schema names the default; `None` as default may also be sent."""

    def __init__(self, shape: Shape, schema: Dict[str, Any], null: bool) -> None:
        super().__init__(schema, shape.root)
        self._shape = shape
        self._null = null
        self.natural = shape.natural

    def build(self, value: Any) -> Any:
        return None if value is None and self._null else self._shape.build(value)


def with_default(shape: Shape, default: Any) -> Shape:
    if not shape.schema or type(default) not in (str, int, float, bool, type(None)):
        return shape
    if default is None and not takes_null(shape):
        schema: Dict[str, Any] = {"anyOf": [shape.schema, {"type": "null"}], "default": None}
        return Defaulted(shape, schema, null=True)
    if default != default or default in (float("inf"), float("-inf")):
        return shape  # JSON has no word for it
    return Defaulted(shape, {**shape.schema, "default": default}, null=False)


def takes_null(shape: Shape) -> bool:
    try:
        shape.build(None)
    except Mismatch:
        return False
    return True


def parameters(entry: Callable[..., Any], name: str) -> List[inspect.Parameter]:
    try:
        return list(read_signature(entry).parameters.values())
    except (ValueError, TypeError) as error:
        raise Unservable(
            "entry.no-signature",
            "{} does not say which parameters it takes.".format(name),
            "Wrap it: def {}(x): return ...".format(name.split(".")[-1]),
        ) from error


def read_signature(entry: Callable[..., Any], follow: bool = True) -> inspect.Signature:
    """The signature, with annotations whose names nobody knows left as they are."""
    if sys.version_info >= (3, 14):
        from annotationlib import Format

        return inspect.signature(entry, follow_wrapped=follow, annotation_format=Format.FORWARDREF)
    return inspect.signature(entry, follow_wrapped=follow)


def refuse_kind(parameter: inspect.Parameter, name: str) -> None:
    if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
        raise Unservable(
            "entry.positional-only",
            "{} takes {} only by position; a request names its arguments.".format(
                name, parameter.name
            ),
            "Take the / out of its parameters, or wrap it in a function of your own.",
        )
    if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
        raise Unservable(
            "entry.star-args",
            "{} takes *{}; a request names its arguments.".format(name, parameter.name),
            "Take one list instead: {}: list".format(parameter.name),
        )


def no_json(name: str, parameter: str, hint: str) -> Unservable:
    return Unservable(
        "entry.hint-not-json",
        "{} takes {}: {}, which no JSON value can become.".format(name, parameter, hint),
        "Take plain values (numbers, text, lists, dicts) and make the {} from them inside.".format(
            hint
        ),
    )


def by_position(entry: Callable[..., Any], fields: Mapping[str, Any]) -> Tuple[str, ...]:
    """Parameters to pass by position: a wrapper may call them otherwise, or take only `*args`."""
    try:
        taken = read_signature(entry, follow=False).parameters
    except (ValueError, TypeError):  # a wrapper in C, such as that of functools.lru_cache
        return ()
    if set(fields) <= set(taken):
        return ()
    named = read_signature(entry).parameters
    either = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return tuple(name for name in fields if named[name].kind is either)


def global_names(entry: Any) -> Mapping[str, Any]:
    """The names that quoted hints of this callable mean."""
    while isinstance(entry, functools.partial):
        entry = entry.func
    function = inspect.unwrap(getattr(entry, "__func__", entry))
    if not hasattr(function, "__globals__"):
        function = getattr(type(entry).__call__, "__func__", type(entry).__call__)
    names: Mapping[str, Any] = getattr(function, "__globals__", {})
    return names


def name_of(entry: Any) -> str:
    """How the entry is called in messages: `predict()`."""
    while isinstance(entry, functools.partial):
        entry = entry.func
    return "{}()".format(getattr(entry, "__qualname__", type(entry).__qualname__))

"""JSON <-> Python values: answers out, arguments in (DESIGN.md 7)."""

from __future__ import annotations

import json
import math
from typing import Any, Dict, List, NoReturn, Optional, Tuple

from .shapes import Mismatch
from .signature import Signature
from .simpler import NotJson, simpler, type_name

__all__ = ["Mismatch", "NotJson", "decode_arguments", "encode", "loads"]


def encode(value: Any) -> Tuple[bytes, bool]:
    """(JSON of an answer, whether a NaN or an infinity became null). Raises NotJson.

    The standard library's encoder does the work, and asks `simpler` for what it does not know.
    Where it gives up (a NaN, a key that is no text, a cycle), the value is walked in Python.
    """
    try:
        return to_bytes(ENCODER.encode(value)), False
    except (TypeError, ValueError, RecursionError, NotJson):
        walk = Walk()
    try:
        return to_bytes(ENCODER.encode(walk.plain(value, ""))), walk.lossy
    except ValueError as error:  # a whole number of more digits than Python writes
        raise NotJson("", "int") from error


def decode_arguments(signature: Signature, body: bytes) -> Dict[str, Any]:
    """Keyword arguments from the body of a request. Raises Mismatch."""
    value = loads(body) if body else {}
    if type(value) is not dict:
        raise Mismatch([("", "an object with the arguments by name wanted")])
    return signature.build(value)


def loads(body: bytes) -> Any:
    """The JSON value of a body. Raises Mismatch."""
    try:
        return DECODER.decode(body.decode())
    except (ValueError, RecursionError) as error:
        raise Mismatch([("", "JSON wanted: {}".format(error))]) from error


def to_bytes(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON holds as \ud800
        return json.dumps(json.loads(text)).encode()


DEEPEST = 200


class Walk:
    """Makes a value plain, item by item, and knows where it is."""

    def __init__(self) -> None:
        self.lossy = False
        self._inside: List[int] = []

    def plain(self, value: Any, path: str) -> Any:
        if isinstance(value, float):
            return self._finite(value)
        if value is None or isinstance(value, (str, int)):
            return value
        if id(value) in self._inside or len(self._inside) > DEEPEST:
            raise NotJson(
                path, type_name(type(value)) + " that holds itself, or is nested too deep"
            )
        self._inside.append(id(value))
        try:
            return self._container(value, path)
        finally:
            self._inside.pop()

    def _finite(self, value: float) -> Optional[float]:
        if math.isfinite(value):
            return value
        self.lossy = True
        return None

    def _container(self, value: Any, path: str) -> Any:
        if isinstance(value, dict):
            return self._object(value, path)
        if isinstance(value, (list, tuple)):
            return [self.plain(each, "{}/{}".format(path, at)) for at, each in enumerate(value)]
        try:
            return self.plain(simpler(value), path)
        except NotJson as error:
            raise NotJson(error.path or path, error.type) from error

    def _object(self, value: Dict[Any, Any], path: str) -> Dict[str, Any]:
        plain: Dict[str, Any] = {}
        for key, item in value.items():
            name = self._key(key, path)
            if name in plain:
                raise NotJson(path, "dict with two keys that are {!r} in JSON".format(name))
            step = name.replace("~", "~0").replace("/", "~1")
            plain[name] = self.plain(item, "{}/{}".format(path, step))
        return plain

    def _key(self, key: Any, path: str) -> str:
        if isinstance(key, str):
            return str.__str__(key)
        simple = self.plain(key, path)
        if isinstance(simple, (list, dict)) or (simple is None and key is not None):
            raise NotJson(path, "dict with a key of type {}".format(type_name(type(key))))
        return simple if isinstance(simple, str) else json.dumps(simple)


def refuse_constant(name: str) -> NoReturn:
    raise ValueError("{} is no JSON".format(name))


ENCODER = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=simpler
)
DECODER = json.JSONDecoder(parse_constant=refuse_constant)

"""Shapes of numbers, text, dates and the like."""

from __future__ import annotations

import base64
import binascii
import datetime
import decimal
import re
import uuid
from typing import Any, Callable, Dict, Mapping, Tuple

from .shapes import Number, Parsed, Plain, Shape, Whole

SHORT_FRACTION = re.compile(r"\.(\d+)")


def iso(text: str) -> str:
    """ISO 8601 as `fromisoformat` of Python 3.8 reads it: no `Z`, six digits of a fraction."""
    if text.endswith(("Z", "z")):
        text = text[:-1] + "+00:00"
    return SHORT_FRACTION.sub(lambda found: "." + found.group(1)[:6].ljust(6, "0"), text)


def parse_datetime(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(iso(text))


def parse_time(text: str) -> datetime.time:
    return datetime.time.fromisoformat(iso(text))


def parse_bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError("not base64") from error


def parse_decimal(value: Any) -> decimal.Decimal:
    # by way of its shortest text, so that 1.1 is Decimal("1.1")
    return decimal.Decimal(str(value))


TEXT = {"type": "string"}

PARSED: Dict[Any, Tuple[Callable[[Any], Any], Dict[str, Any], Tuple[type, ...]]] = {
    datetime.datetime: (parse_datetime, {**TEXT, "format": "date-time"}, ()),
    datetime.date: (datetime.date.fromisoformat, {**TEXT, "format": "date"}, ()),
    datetime.time: (parse_time, {**TEXT, "format": "time"}, ()),
    uuid.UUID: (uuid.UUID, {**TEXT, "format": "uuid"}, ()),
    bytes: (parse_bytes, {**TEXT, "contentEncoding": "base64"}, ()),
    decimal.Decimal: (parse_decimal, {"type": ["number", "string"]}, (int, float)),
}


def scalar(hint: Any, root: Mapping[str, Any]) -> Shape:
    """The shape of a scalar type. Raises KeyError for any other."""
    if hint is None or hint is type(None):
        return Plain(type(None), {"type": "null"}, root)
    if hint is bool:
        return Plain(bool, {"type": "boolean"}, root)
    if hint is str:
        return Plain(str, {"type": "string"}, root)
    if hint is int:
        return Whole(int, {"type": "integer"}, root)
    if hint is float:
        return Number({"type": "number"}, root)
    parse, schema, also = PARSED[hint]
    return Parsed(parse, schema, root, also)

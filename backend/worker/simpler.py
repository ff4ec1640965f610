"""Values one step nearer to JSON: the table of DESIGN.md 7, with numpy, pandas and pydantic."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import decimal
import enum
import math
import sys
import uuid
from typing import Any, Callable, Dict, List, Optional

Step = Callable[[Any], Any]


class NotJson(Exception):
    """A value that JSON cannot hold; `path` is a JSON pointer into the answer, `type` its type."""

    def __init__(self, path: str, kind: str) -> None:
        super().__init__("{} at {}".format(kind, path or "the top"))
        self.path = path
        self.type = kind


def simpler(value: Any) -> Any:
    """A value one step nearer to JSON; NaN for what is missing. Raises NotJson."""
    if is_missing(value):
        return math.nan
    step = STEPS.get(type(value)) or inherited_step(type(value)) or foreign_step(value)
    if step is None:
        raise NotJson("", type_name(type(value)))
    return step(value)


def type_name(kind: type) -> str:
    """`PIL.Image.Image`; builtins and the notebook's own without a module."""
    if kind.__module__ in ("builtins", "__main__"):
        return kind.__qualname__
    return kind.__module__ + "." + kind.__qualname__


def sorted_list(values: Any) -> List[Any]:
    """A set in an order that does not change from call to call."""
    try:
        return sorted(values)
    except TypeError:
        return sorted(values, key=lambda value: (type_name(type(value)), repr(value)))


def base64_text(value: Any) -> str:
    return base64.b64encode(value).decode("ascii")


STEPS: Dict[type, Step] = {
    set: sorted_list,
    frozenset: sorted_list,
    bytes: base64_text,
    bytearray: base64_text,
    memoryview: base64_text,
    datetime.datetime: lambda value: value.isoformat(),
    datetime.date: lambda value: value.isoformat(),
    datetime.time: lambda value: value.isoformat(),
    decimal.Decimal: lambda value: str(value) if value.is_finite() else math.nan,
    uuid.UUID: str,
    enum.Enum: lambda value: value.value,
}


def inherited_step(kind: type) -> Optional[Step]:
    """The step of the nearest base class; fields of a dataclass."""
    for base in kind.__mro__[1:]:
        if base in STEPS:
            return STEPS[base]
    return None


def foreign_step(value: Any) -> Optional[Step]:
    """The step for classes with fields, and for types of packages that are loaded."""
    kind = type(value)
    if hasattr(kind, "model_dump") and "pydantic" in sys.modules:
        return dump_model
    if hasattr(kind, "__pydantic_serializer__"):
        return lambda value: kind.__pydantic_serializer__.to_python(value, mode="json")
    if hasattr(kind, "__get_validators__") and hasattr(kind, "dict"):
        return lambda value: value.dict(by_alias=True)
    if dataclasses.is_dataclass(kind):
        return dataclass_fields
    return numpy_step(value) or pandas_step(value)


def dump_model(value: Any) -> Any:
    """A pydantic model by its own rules; where it holds what only the table knows, by the table."""
    try:
        return value.model_dump(mode="json", by_alias=True)
    except Exception:  # pydantic raises its own errors, and those of the user's serializers
        return value.model_dump(by_alias=True)


def dataclass_fields(value: Any) -> Dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def numpy_step(value: Any) -> Optional[Step]:
    numpy: Any = sys.modules.get("numpy")
    if numpy is None:
        return None
    if isinstance(value, (numpy.datetime64, numpy.timedelta64)):
        return str if isinstance(value, numpy.datetime64) else None
    if isinstance(value, numpy.ndarray):
        return array_list
    if isinstance(value, (numpy.bool_, numpy.integer)):
        return lambda value: value.item()
    return float if isinstance(value, numpy.floating) else None


def array_list(value: Any) -> Any:
    """Nested lists; dates stay dates, since `tolist` would make numbers of them."""
    if value.dtype.kind == "m":
        raise NotJson("", "numpy.ndarray of time spans")
    if value.dtype.kind == "M":
        return list(value) if value.ndim else value[()]
    return value.tolist()


def pandas_step(value: Any) -> Optional[Step]:
    pandas: Any = sys.modules.get("pandas")
    if pandas is None:
        return None
    if isinstance(value, pandas.DataFrame):
        return frame_columns
    if isinstance(value, (pandas.Series, pandas.Index)):
        return lambda value: value.tolist()
    return None


def frame_columns(value: Any) -> Dict[Any, Any]:
    """`{"column": [...]}`; the index does not go along."""
    if not value.columns.is_unique:
        raise NotJson("", "pandas.DataFrame with two columns of one name")
    return {name: value[name].tolist() for name in value.columns}


def is_missing(value: Any) -> bool:
    """pandas' and numpy's own words for a value that is not there."""
    if type(value).__name__ in ("NAType", "NaTType"):
        return True
    numpy: Any = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.datetime64) and bool(numpy.isnat(value))

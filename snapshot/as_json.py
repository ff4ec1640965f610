"""Values as a request's JSON would hold them (DESIGN.md 7); only what comes back as it went."""

from __future__ import annotations

import math
from typing import Any


class NotJson(ValueError):
    """A value that JSON cannot hold."""


def as_json(value: Any) -> Any:
    """Plain lists, dicts, numbers and text. Raises NotJson."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise NotJson("a number that is not finite")
        return float(value)
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    if isinstance(value, dict):
        return {text(key): as_json(item) for key, item in value.items()}
    return library_value(value)


def text(key: Any) -> str:
    if not isinstance(key, str):
        raise NotJson("a key that is not text")
    return key


def library_value(value: Any) -> Any:
    """Arrays and numpy numbers, frames, series, dates, by what they can say of themselves."""
    kind = type(value)
    library = kind.__module__.partition(".")[0]
    if library == "pandas" and hasattr(value, "to_dict") and hasattr(value, "columns"):
        return as_json(value.to_dict("list"))
    if library in ("numpy", "pandas", "torch") and hasattr(value, "tolist"):
        return as_json(value.tolist())
    if library in ("datetime", "pandas") and hasattr(value, "isoformat"):
        return value.isoformat()
    if library in ("decimal", "uuid"):
        return str(value)
    raise NotJson(f"{kind.__qualname__} has no JSON")

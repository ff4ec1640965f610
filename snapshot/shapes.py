"""Type, shape and size of a value in a few words, without asking it anything costly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cellship.snapshot.literals import plain

UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


@dataclass(frozen=True)
class Shape:
    """What a manifest says of a value."""

    type: str
    shape: list[int] | None
    dtype: str | None


def shape_of(value: Any) -> Shape:
    """`ndarray`, [1500, 64], `float64`."""
    shape = getattr(value, "shape", None)
    sides = [int(side) for side in shape or ()] if is_shape(shape) else None
    dtype = getattr(value, "dtype", None) if sides is not None else None
    return Shape(type_name(value), sides, str(dtype) if dtype is not None else None)


def is_shape(shape: Any) -> bool:
    return isinstance(shape, tuple) and all(isinstance(side, int) for side in shape)


def type_name(value: Any) -> str:
    kind = type(value)
    return str(kind.__qualname__)


def described(value: Any, size: int) -> str:
    """`ndarray, 1500 x 64, float64, 750.0 KiB`."""
    shape = shape_of(value)
    parts = [shape.type]
    if shape.shape:
        parts.append(" x ".join(str(side) for side in shape.shape))
    elif isinstance(value, list | dict | set | tuple | frozenset):
        parts.append(f"{len(value)} items")
    if shape.dtype:
        parts.append(shape.dtype)
    return ", ".join([*parts, in_units(size)])


def in_units(size: float) -> str:
    """1946157 -> `1.9 MiB`."""
    unit = 0
    while size >= 1024 and unit < len(UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:.0f} {UNITS[unit]}" if unit == 0 else f"{size:.1f} {UNITS[unit]}"


def preview(value: Any) -> str:
    """A short text of plain values; "" of others."""
    if isinstance(value, list | tuple | dict) and len(value) > 20:
        return ""
    text = repr(value) if plain(value) and not isinstance(value, set | frozenset) else ""
    return text if len(text) <= 80 else ""

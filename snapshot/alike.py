"""Whether two answers are the same: exact for structure, text and integers, near for floats.

This file travels with a candidate (`admit/alike.py`) and is run by the worker as it is. Hence: the
standard library only, and syntax of Python 3.8.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from typing import Any

NEAR = 1e-5  # relative, of floats


def difference(one: Any, other: Any, tolerance: float | None = None) -> str:
    """Where and how two answers differ; "" if they are alike."""
    for path, left, right in differing(one, other, "", NEAR if tolerance is None else tolerance):
        return "{}{} and {}".format(path + ": " if path else "", brief(left), brief(right))
    return ""


def differing(one: Any, other: Any, path: str, near: float) -> Iterator[tuple[str, Any, Any]]:
    """(path, one, other) of the parts that differ."""
    one, other = in_plain(one), in_plain(other)
    if is_number(one) and is_number(other) and (isinstance(one, float) or isinstance(other, float)):
        if not close(one, other, near):
            yield path, one, other
    elif type(one) is not type(other):
        yield path, one, other
    elif isinstance(one, dict):
        yield from differing_items(one, other, path, near)
    elif isinstance(one, (list, tuple)):
        if len(one) != len(other):
            yield path, one, other
            return
        for index, (left, right) in enumerate(zip(one, other)):  # noqa: B905 - Python 3.8
            yield from differing(left, right, f"{path}[{index}]", near)
    elif not equal(one, other, path, near):
        yield path, one, other


def differing_items(one: Any, other: Any, path: str, near: float) -> Iterator[tuple[str, Any, Any]]:
    if one.keys() != other.keys():
        yield path, one, other
        return
    for key in one:
        yield from differing(one[key], other[key], f"{path}[{key!r}]", near)


def equal(one: Any, other: Any, path: str, near: float) -> bool:
    """Objects by `==`; those that only know their own identity by what they hold."""
    try:
        if bool(one == other):
            return True
    except Exception:  # a comparison of the user's own may raise anything
        return False
    if "__eq__" not in own_names(one) and hasattr(one, "__dict__"):
        return not any(differing(vars(one), vars(other), path, near))
    return False


def own_names(value: Any) -> set[str]:
    """Names that the classes of a value define, those of `object` apart."""
    return {name for kind in type(value).__mro__[:-1] for name in vars(kind)}


def in_plain(value: Any) -> Any:
    """Arrays, frames and tensors as lists and dicts; numpy's numbers as Python's."""
    numpy, pandas, torch = (sys.modules.get(name) for name in ("numpy", "pandas", "torch"))
    if torch is not None and isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        return {"tensor": str(value.dtype), "items": value.tolist()}
    if numpy is not None and isinstance(value, numpy.ndarray):
        return {"array": str(value.dtype), "shape": value.shape, "items": value.ravel().tolist()}
    if numpy is not None and isinstance(value, numpy.generic):
        return value.item()
    if pandas is not None and isinstance(value, pandas.DataFrame):
        columns = [list(value.iloc[:, at]) for at in range(value.shape[1])]
        return {"columns": list(value.columns), "index": list(value.index), "items": columns}
    if pandas is not None and isinstance(value, (pandas.Series, pandas.Index)):
        return {"name": value.name, "items": list(value)}
    return value


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def close(one: float, other: float, near: float) -> bool:
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return one == other or math.isclose(one, other, rel_tol=near, abs_tol=near * 1e-3)


def brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."

"""Shapes of numpy and pandas types. Both are the user's own, met only where they are loaded."""

from __future__ import annotations

import sys
from typing import Any, Callable, Mapping, Optional, Tuple

from .shapes import Mismatch, Shape

LIST = {"type": "array"}
COLUMNS = {"type": "object", "additionalProperties": {"type": "array"}}
# first letters of numpy's kinds -> what a scalar of that kind is in JSON
SCALARS = {"b": "boolean", "i": "integer", "u": "integer", "f": "number", "U": "string"}


class Made(Shape):
    """What `make` builds from a JSON value of one type; its complaints are the caller's to read."""

    def __init__(
        self,
        kinds: Tuple[type, ...],
        make: Callable[[Any], Any],
        schema: Mapping[str, Any],
        root: Mapping[str, Any],
    ) -> None:
        super().__init__(schema, root)
        self.natural = frozenset(kinds)
        self._make = make

    def build(self, value: Any) -> Any:
        if type(value) not in self.natural:
            raise self.refusal(value)
        try:
            return self._make(value)
        except (ValueError, TypeError, OverflowError) as error:
            raise Mismatch([("", str(error))]) from error


def array_shape(hint: Any, arguments: Tuple[Any, ...], root: Mapping[str, Any]) -> Optional[Shape]:
    """The shape of a numpy or pandas type, else None. `arguments` are those in its brackets."""
    numpy: Any = sys.modules.get("numpy")
    pandas: Any = sys.modules.get("pandas")
    if not isinstance(hint, type):
        return None
    if numpy is not None and hint is getattr(numpy, "ndarray", None):
        dtype = dtype_of(arguments)
        return Made((list,), lambda value: numpy_array(numpy, value, dtype), LIST, root)
    if numpy is not None and issubclass(hint, getattr(numpy, "generic", ())):
        return numpy_scalar(numpy, hint, root)
    if pandas is not None and hint is getattr(pandas, "DataFrame", None):
        return Made((dict,), pandas.DataFrame, COLUMNS, root)
    if pandas is not None and hint is getattr(pandas, "Series", None):
        return Made((list,), pandas.Series, LIST, root)
    return None


def dtype_of(arguments: Tuple[Any, ...]) -> Any:
    """`numpy.float32` out of `NDArray[numpy.float32]`, None where it is left open."""
    inner = getattr(arguments[1], "__args__", ()) if len(arguments) == 2 else ()
    return inner[0] if inner and isinstance(inner[0], type) else None


def numpy_array(numpy: Any, value: Any, dtype: Any) -> Any:
    array = numpy.array(value, dtype=dtype)
    if array.dtype == object:
        # numpy before 1.24 makes such an array of lists of different lengths
        raise ValueError("rows of one length, of numbers or of text, wanted")
    return array


def numpy_scalar(numpy: Any, hint: Any, root: Mapping[str, Any]) -> Optional[Shape]:
    try:
        kind = SCALARS[numpy.dtype(hint).kind]
    except (KeyError, TypeError):
        return None
    takes = {"boolean": (bool,), "integer": (int,), "number": (int, float), "string": (str,)}
    return Made(takes[kind], hint, {"type": kind}, root)

"""Shapes of pydantic types, by the user's own pydantic, version 1 or 2."""

from __future__ import annotations

import json
import sys
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple

from .shapes import Mismatch, Shape


class Model(Shape):
    """Built and refused by pydantic itself."""

    def __init__(
        self,
        schema: Mapping[str, Any],
        root: Mapping[str, Any],
        make: Callable[[Any], Any],
        failure: type,
    ) -> None:
        super().__init__(schema, root)
        self.natural = frozenset([natural_type(schema, root)])
        self._make = make
        self._failure = failure

    def build(self, value: Any) -> Any:
        try:
            return self._make(value)
        except self._failure as error:  # type: ignore[misc]
            raise Mismatch(places(error)) from error
        except Exception as error:  # a validator of the user raised something of its own
            raise Mismatch([("", str(error) or type(error).__name__)]) from error


def model_shape(hint: Any, root: Dict[str, Any], mode: str = "validation") -> Optional[Shape]:
    """The shape of what the loaded pydantic knows; None if it does not, or is not loaded."""
    pydantic = sys.modules.get("pydantic")
    if pydantic is None or not hasattr(pydantic, "BaseModel"):
        return None
    if not hasattr(pydantic, "TypeAdapter"):
        return first_version(pydantic, hint, root)
    try:
        adapter = pydantic.TypeAdapter(hint)
        schema = adapter.json_schema(ref_template="#/$defs/{model}", mode=mode)
    except Exception:  # pydantic has many errors for "this is no type of mine", over its versions
        return None
    # as JSON, so that strict models take what JSON cannot hold otherwise: dates, tuples, enums
    return Model(
        hoist(schema, root),
        root,
        lambda value: adapter.validate_json(json.dumps(value)),
        pydantic.ValidationError,
    )


def first_version(pydantic: Any, hint: Any, root: Dict[str, Any]) -> Optional[Shape]:
    if not (isinstance(hint, type) and issubclass(hint, pydantic.BaseModel)):
        return None
    schema = dict(hint.schema(ref_template="#/$defs/{model}"))  # type: ignore[attr-defined]
    schema["$defs"] = schema.pop("definitions", {})
    make = hint.parse_obj  # type: ignore[attr-defined]
    return Model(hoist(schema, root), root, make, pydantic.ValidationError)


def hoist(schema: Dict[str, Any], root: Dict[str, Any]) -> Dict[str, Any]:
    """Move the `$defs` of a schema to those of `root`; a name that is taken gets a number."""
    defs = schema.pop("$defs", {})
    if not defs:
        return schema
    known = root.setdefault("$defs", {})
    names = {name: free_name(name, body, known) for name, body in defs.items()}
    for name, body in defs.items():
        known[names[name]] = renamed(body, names)
    moved: Dict[str, Any] = renamed(schema, names)
    return moved


def free_name(name: str, body: Any, known: Mapping[str, Any]) -> str:
    candidate, number = name, 2
    while candidate in known and known[candidate] != body:
        candidate, number = "{}{}".format(name, number), number + 1
    return candidate


def renamed(part: Any, names: Mapping[str, str]) -> Any:
    """`part` of a schema with its local references renamed."""
    if isinstance(part, dict):
        return {
            key: reference(value, names) if key == "$ref" else renamed(value, names)
            for key, value in part.items()
        }
    return [renamed(each, names) for each in part] if isinstance(part, list) else part


def reference(ref: Any, names: Mapping[str, str]) -> Any:
    start, name = "#/$defs/", str(ref)[len("#/$defs/") :]
    return start + names[name] if str(ref).startswith(start) and name in names else ref


def natural_type(schema: Mapping[str, Any], root: Mapping[str, Any]) -> type:
    """The Python type of JSON values that the schema is mainly about."""
    if "$ref" in schema:
        schema = root.get("$defs", {}).get(schema["$ref"][len("#/$defs/") :], {})
    types: Dict[Any, type] = {
        "array": list,
        "string": str,
        "integer": int,
        "number": float,
        "boolean": bool,
    }
    return types.get(str(schema.get("type")), dict)


def places(error: Any) -> List[Tuple[str, str]]:
    """(JSON pointer, message) of each complaint of a pydantic ValidationError."""
    found: List[Tuple[str, str]] = []
    for each in error.errors():
        mismatch = Mismatch([("", each["msg"])])
        for key in reversed(each["loc"]):
            if key != "__root__":
                mismatch = mismatch.under(key)
        found += mismatch.found
    return found

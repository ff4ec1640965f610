"""Why an input is not what an entry takes: `row: a list of numbers wanted, got text`."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from cellship.backend.gateway import words
from cellship.backend.gateway.problem import Detail

Wrong = tuple[list[Any], str]  # place, message

MOST = 20
SHOWN = 3
# keywords whose failure says more than "another type": (words, is the instance shown)
BOUNDS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "pattern": "text like {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "minProperties": "at least {} names",
    "maxProperties": "at most {} names",
}
COUNTED = {"minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"}


def details(errors: Iterable[Any], schema: Mapping[str, Any]) -> tuple[Detail, ...]:
    """One Detail per wrong place, of jsonschema-rs' errors; at most MOST."""
    found: dict[str, Detail] = {}
    for place, message in islice(all_wrong(errors, schema), MOST):
        path = pointer(place)
        found.setdefault(path, Detail(path, message))
    return tuple(found.values())


def all_wrong(errors: Iterable[Any], schema: Mapping[str, Any]) -> Iterator[Wrong]:
    for error in errors:
        yield from wrong(error, schema)


def summary(found: tuple[Detail, ...]) -> str:
    """The first few as one line: `row: missing; rows: not known`."""
    said = [
        f"{dotted(one.path)}: {one.message}" if one.path else one.message for one in found[:SHOWN]
    ]
    rest = len(found) - SHOWN
    return "; ".join(said) + (f"; and {rest} more" if rest > 0 else "")


def wrong(error: Any, schema: Mapping[str, Any]) -> Iterable[Wrong]:
    """(place, message) pairs of one error."""
    place, instance = list(error.instance_path), error.instance
    steps = [str(step) for step in error.schema_path]
    keyword = steps[-1] if steps else ""
    holder = words.follow(words.at(schema, steps[:-1]), schema)
    if keyword == "required":
        name = getattr(error.kind, "property", None) or missing_name(holder, instance)
        return [([*place, name], "missing")]
    if keyword in ("additionalProperties", "unevaluatedProperties"):
        known = list(holder.get("properties", {})) if isinstance(holder, Mapping) else []
        return (([*place, name], not_known(name, known)) for name in instance if name not in known)
    if keyword in BOUNDS and isinstance(holder, Mapping):
        return [(place, bound(keyword, holder[keyword], instance))]
    value = words.got(instance) if keyword not in ("enum", "const") else words.shown(instance)
    return [(place, f"{words.wanted(holder, schema)} wanted, got {value}")]


def missing_name(holder: Any, instance: Any) -> str:
    names = holder.get("required", ()) if isinstance(holder, Mapping) else ()
    return next((name for name in names if name not in instance), "")


def not_known(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    if near:
        return f"not known, did you mean {near[0]}?"
    return f"not known; known: {', '.join(known)}" if known else "not known; nothing is taken here"


def bound(keyword: str, limit: Any, instance: Any) -> str:
    value = str(len(instance)) if keyword in COUNTED else words.shown(instance)
    return f"{BOUNDS[keyword].format(limit)} wanted, got {value}"


def pointer(place: list[Any]) -> str:
    """A JSON pointer."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in place)


def dotted(path: str) -> str:
    """A JSON pointer as a person writes it: `rows[2].age`."""
    text = ""
    for step in path.split("/")[1:]:
        step = step.replace("~1", "/").replace("~0", "~")
        text += f"[{step}]" if step.isdigit() else f".{step}" if text else step
    return text

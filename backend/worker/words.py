"""A JSON Schema and a JSON value in the words of a person: `a list of numbers wanted, got text`.

The gateway and the worker use the same words, so that nobody can tell which of them refused.
"""

from __future__ import annotations

import json
from typing import Any, Dict, List, Mapping, Tuple

# (one, several) by JSON type; the second fills "a list of ..."
TYPES: Dict[str, Tuple[str, str]] = {
    "number": ("a number", "numbers"),
    "integer": ("a whole number", "whole numbers"),
    "string": ("text", "texts"),
    "boolean": ("true or false", "true or false"),
    "null": ("null", "nulls"),
    "array": ("a list", "lists"),
    "object": ("an object", "objects"),
}
FORMATS: Dict[str, Tuple[str, str]] = {
    "date-time": ("a date and time (ISO 8601)", "dates and times (ISO 8601)"),
    "date": ("a date (ISO 8601)", "dates (ISO 8601)"),
    "time": ("a time (ISO 8601)", "times (ISO 8601)"),
    "uuid": ("a UUID", "UUIDs"),
}
SHOWN = 40


def wanted(schema: Any, root: Mapping[str, Any]) -> str:
    """What `schema` takes: "a list of numbers". `root` holds the `$defs` that it may refer to."""
    return words(schema, root, 0)[0]


def got(value: Any) -> str:
    """What a JSON value is: "text", "1.5", "a list"."""
    if isinstance(value, str):
        return "text"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "an object"
    shown = json.dumps(value)
    return shown if len(shown) <= SHOWN else "a number"


def mismatch(schema: Any, root: Mapping[str, Any], value: Any) -> str:
    """The message for a value of the wrong type: "a list of numbers wanted, got text"."""
    found = got(value)
    if found == "text" and takes_text(schema) and len(value) <= SHOWN:
        found = json.dumps(value, ensure_ascii=False)  # text was right, this text was not
    return "{} wanted, got {}".format(wanted(schema, root), found)


def takes_text(schema: Any) -> bool:
    """Whether some text would do."""
    choices = schema.get("enum", [schema.get("const")])
    return "string" in (schema.get("type"), *choices) or any(
        isinstance(each, str) for each in choices
    )


def words(schema: Any, root: Mapping[str, Any], depth: int) -> Tuple[str, str]:
    """(one, several) of what a schema takes; deeper than a person would follow, "a value"."""
    if not isinstance(schema, Mapping) or depth > 4:
        return "a value", "values"
    if "$ref" in schema:
        return words(resolve(schema["$ref"], root), root, depth + 1)
    if "const" in schema or "enum" in schema:
        return choice(schema.get("enum", [schema.get("const")]))
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return either([words(each, root, depth + 1) for each in schema[key]])
    return typed(schema, root, depth)


def typed(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> Tuple[str, str]:
    kind = schema.get("type")
    if isinstance(kind, list):
        return either([words(dict(schema, type=each), root, depth) for each in kind])
    if kind == "array":
        return array(schema, root, depth)
    if kind == "string" and schema.get("contentEncoding") == "base64":
        return "text in base64", "texts in base64"
    if kind == "string" and schema.get("format") in FORMATS:
        return FORMATS[schema["format"]]
    return TYPES.get(str(kind), ("a value", "values"))


def array(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> Tuple[str, str]:
    if schema.get("prefixItems"):
        each = ", ".join(words(item, root, depth + 1)[0] for item in schema["prefixItems"])
        return "a list of {} ({})".format(len(schema["prefixItems"]), each), "lists"
    several = words(schema.get("items"), root, depth + 1)[1]
    if several == "values":
        return TYPES["array"]
    return "a list of " + several, "lists of " + several


def choice(values: List[Any]) -> Tuple[str, str]:
    shown = ", ".join(json.dumps(value, ensure_ascii=False) for value in values[:8])
    more = ", …" if len(values) > 8 else ""
    one = shown if len(values) == 1 else "one of " + shown + more
    return one, "values out of " + shown + more


def either(pairs: List[Tuple[str, str]]) -> Tuple[str, str]:
    """Alternatives without repeats: "a number or null"."""
    ones = list(dict.fromkeys(one for one, _ in pairs))
    several = list(dict.fromkeys(many for _, many in pairs))
    return " or ".join(ones) or "a value", " or ".join(several) or "values"


def resolve(ref: str, root: Mapping[str, Any]) -> Any:
    """The schema that a local `$ref` names; {} where there is none."""
    if not ref.startswith("#/$defs/"):
        return {}
    return root.get("$defs", {}).get(ref[len("#/$defs/") :], {})

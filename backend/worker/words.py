"""A JSON Schema, and a JSON value, in plain words.

The same words as the gateway's, so that nobody can tell which of them refused: a test compares.
"""

from __future__ import annotations

import json
from typing import Any, List, Mapping, Union

Schema = Union[Mapping[str, Any], bool]

ONE = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "null",
    "object": "an object",
    "array": "a list",
}
MANY = {
    "string": "texts",
    "number": "numbers",
    "integer": "whole numbers",
    "boolean": "truth values",
    "null": "nulls",
    "object": "objects",
    "array": "lists",
}
FORMATS = {
    "date-time": "a date and time as text (ISO 8601)",
    "date": "a date as text (ISO 8601)",
    "time": "a time as text (ISO 8601)",
    "duration": "a duration as text (ISO 8601)",
    "uuid": "a UUID as text",
    "byte": "base64 text",
    "binary": "base64 text",
    "decimal": "a decimal number as text",
}
CHOICES = {"enum", "const"}
SHOWN = 40
DEEPEST = 6


def wanted(schema: Schema, root: Mapping[str, Any], depth: int = 0) -> str:
    """What a value of this schema is: `a list of numbers`, `text or null`."""
    schema = follow(schema, root)
    if isinstance(schema, bool) or depth > DEEPEST:
        return "anything" if schema else "nothing"
    if "const" in schema:
        return shown(schema["const"])
    if "enum" in schema:
        return one_of([shown(value) for value in schema["enum"]])
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return alternatives([wanted(one, root, depth + 1) for one in schema[choice]])
    if schema.get("contentEncoding") == "base64":
        return FORMATS["byte"]
    kind = schema.get("type")
    if isinstance(kind, list):
        return alternatives([wanted({**schema, "type": one}, root, depth + 1) for one in kind])
    if kind == "string":
        return FORMATS.get(schema.get("format", ""), ONE["string"])
    if kind == "array":
        return list_of(schema, root, depth)
    if kind == "object" and schema.get("title"):
        return f"an object ({schema['title']})"
    return ONE.get(str(kind), "anything")


def list_of(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> str:
    if "prefixItems" in schema:
        parts = [wanted(one, root, depth + 1) for one in schema["prefixItems"]]
        return f"a list of {len(parts)} ({', '.join(parts)})"
    inner = several(schema.get("items", True), root, depth + 1)
    return f"a list of {inner}" if inner else "a list"


def several(schema: Schema, root: Mapping[str, Any], depth: int) -> str:
    """The plural: `numbers`, `lists of numbers`; "" for anything."""
    schema = follow(schema, root)
    if isinstance(schema, bool) or depth > DEEPEST:
        return ""
    kind = schema.get("type")
    if kind == "array":
        inner = several(schema.get("items", True), root, depth + 1)
        return f"lists of {inner}" if inner else "lists"
    if isinstance(kind, str) and not ({"enum", "const", "format"} & schema.keys()):
        named = kind == "object" and schema.get("title")
        return f"objects ({schema['title']})" if named else MANY.get(kind, "")
    words = wanted(schema, root, depth)
    return "" if words == "anything" else f"({words})"


def follow(schema: Schema, root: Mapping[str, Any]) -> Schema:
    """The schema that a local reference names."""
    for _ in range(DEEPEST):
        if isinstance(schema, bool) or not str(schema.get("$ref", "")).startswith("#"):
            return schema
        schema = at(root, schema["$ref"][1:].split("/")[1:])
    return schema


def at(schema: Any, steps: List[str]) -> Any:
    """What lies at a JSON pointer; True (anything) where nothing does."""
    for step in steps:
        step = step.replace("~1", "/").replace("~0", "~")
        try:
            schema = schema[int(step)] if isinstance(schema, list) else schema[step]
        except (KeyError, IndexError, ValueError, TypeError):
            return True
    return schema


def mismatch(schema: Schema, root: Mapping[str, Any], value: Any) -> str:
    """The message for a value that the schema does not take: `a number wanted, got text`."""
    seen = shown(value) if isinstance(schema, Mapping) and CHOICES & schema.keys() else got(value)
    return f"{wanted(schema, root)} wanted, got {seen}"


def got(value: Any) -> str:
    """What a JSON value is."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, str):
        return "text"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    return "an object"


def shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def one_of(choices: List[str]) -> str:
    if len(choices) == 1:
        return choices[0]
    return f"one of {', '.join(choices[:10])}{', …' if len(choices) > 10 else ''}"


def alternatives(choices: List[str]) -> str:
    unlike = list(dict.fromkeys(choices))
    return "anything" if "anything" in unlike else " or ".join(unlike)

"""The OpenAPI 3.1 document of one version, made from its schema.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cellship.backend.gateway.schema import Method

ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "hint", "details", "request_id"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "hint": {"type": "string"},
                "details": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "path": {"type": "string", "description": "JSON pointer"},
                            "message": {"type": "string"},
                        },
                    },
                },
                "request_id": {"type": "string"},
            },
        }
    },
}
FAILURES = {
    "400": "The body is not JSON",
    "422": "The body is not what the entry takes",
    "500": "The entry raised",
    "503": "Nobody answers, or too many calls wait",
    "504": "No answer in time",
}


def document(name: str, label: str, methods: Mapping[str, Method]) -> dict[str, Any]:
    """A whole document; `label` is `digits@2`, whose number is the version of the document."""
    schemas: dict[str, Any] = {"Error": ERROR}
    paths = {}
    for method in methods.values():
        path = f"/{name}/{method.name}" if method.name else f"/{name}"
        paths[path] = {"post": operation(name, method, schemas)}
    return {
        "openapi": "3.1.0",
        "info": {"title": name, "version": label.partition("@")[2]},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def operation(name: str, method: Method, schemas: dict[str, Any]) -> dict[str, Any]:
    identity = f"{name}_{method.name}" if method.name else name
    doc = str(method.facts.get("doc") or "")
    needed = bool(method.input.get("required"))
    taken = component(f"{identity}_input", method.input, schemas)
    given = component(f"{identity}_output", method.facts.get("output", {}), schemas)
    return {
        "operationId": identity,
        "summary": doc.partition("\n")[0],
        "description": doc,
        "requestBody": {"required": needed, "content": {"application/json": {"schema": taken}}},
        "responses": {
            "200": {
                "description": "What the entry returned",
                "content": {"application/json": {"schema": given}},
            },
            **{status: failure(words) for status, words in FAILURES.items()},
        },
    }


def failure(words: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Error"}
    return {"description": words, "content": {"application/json": {"schema": schema}}}


def component(name: str, schema: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    """Put a schema among the components, its definitions beside it; a reference to it."""
    rest = schema
    if isinstance(schema, dict):
        rest = {key: value for key, value in schema.items() if key not in ("$defs", "$schema")}
        for part, definition in schema.get("$defs", {}).items():
            schemas[f"{name}_{part}"] = moved(definition, name)
    schemas[name] = moved(rest, name)
    return {"$ref": f"#/components/schemas/{name}"}


def moved(schema: Any, name: str) -> Any:
    """The schema with its local references pointing to where their targets are now."""
    if isinstance(schema, list):
        return [moved(one, name) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: reference(value, name) if key == "$ref" else moved(value, name)
        for key, value in schema.items()
    }


def reference(target: Any, name: str) -> Any:
    if target == "#":
        return f"#/components/schemas/{name}"
    if isinstance(target, str) and target.startswith("#/$defs/"):
        return f"#/components/schemas/{name}_{target[len('#/$defs/') :]}"
    return target

"""What the methods of a version take: `schema.json`, compiled once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec

from cellship.backend.gateway import words, wrong_input
from cellship.backend.gateway.problem import Detail, Problem

decode = msgspec.json.Decoder().decode


class BadSchema(ValueError):
    """The file is missing or is no schema.json."""


@dataclass(frozen=True)
class Method:
    """One method of an entry; "" is the entry itself."""

    name: str
    facts: Mapping[str, Any]
    # None where the schema cannot be compiled: the worker builds the values and says what is wrong
    validator: jsonschema_rs.Draft202012Validator | None
    frame_prefix: bytes = field(default=b"")

    @property
    def is_async(self) -> bool:
        return bool(self.facts.get("async"))

    @property
    def input(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.facts["input"]
        return found

    def check(self, body: bytes, hint: str) -> bytes:
        """The body for the worker, once it is what this method takes. Raises Problem (400, 422)."""
        if not body:
            body = b"{}"  # calling an entry without arguments needs no body
        try:
            value = decode(body)
            if self.validator is None or self.validator.is_valid(value):
                return body
            problem = self._wrong(value, hint)
        except (msgspec.DecodeError, RecursionError):
            raise not_json(body, hint) from None
        except ValueError:
            raise too_deep(hint) from None
        raise problem

    def _wrong(self, value: Any, hint: str) -> Problem:
        assert self.validator is not None
        if not isinstance(value, dict):
            names = ", ".join(self.input.get("properties", ())) or "the arguments"
            message = f"a JSON object with {names} wanted, got {words.got(value)}"
            found: tuple[Detail, ...] = (Detail("", message),)
        else:
            found = wrong_input.details(self.validator.iter_errors(value), self.input)
        return Problem(422, "request.invalid", wrong_input.summary(found), hint, found)


def load(path: Path) -> Mapping[str, Method]:
    """The methods of a schema.json by name. Raises BadSchema."""
    try:
        methods = json.loads(path.read_bytes())["methods"]
        return {name: compiled(name, facts) for name, facts in methods.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadSchema(f"{path}: {error!r}") from error


def compiled(name: str, facts: Mapping[str, Any]) -> Method:
    encoded = name.encode("ascii")
    return Method(name, facts, validator_of(facts["input"]), bytes((len(encoded),)) + encoded)


def validator_of(schema: Mapping[str, Any]) -> jsonschema_rs.Draft202012Validator | None:
    """Linear in the size of the input: patterns without backtracking, nothing fetched."""
    try:
        return jsonschema_rs.Draft202012Validator(
            dict(schema), pattern_options=jsonschema_rs.RegexOptions(), offline=True
        )
    except (ValueError, jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError):
        return None


def not_json(body: bytes, hint: str) -> Problem:
    try:
        json.loads(body)
    except RecursionError:
        return too_deep(hint)
    except ValueError as error:
        return Problem(400, "request.not-json", f"The body is not JSON: {error}.", hint)
    message = "The body is not JSON: UTF-8 wanted, without NaN, Infinity or numbers beyond 1e308."
    return Problem(400, "request.not-json", message, hint)


def too_deep(hint: str) -> Problem:
    return Problem(400, "request.too-deep", "The JSON of the body is nested too deeply.", hint)

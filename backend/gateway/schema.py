"""What the methods of a version take: `schema.json`, compiled once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema_rs
import pydantic_core

from cellship.backend.gateway import words, wrong_input
from cellship.backend.gateway.problem import Detail, Problem

# A large body would stop all other callers while it is parsed here. The worker parses and checks it
# anyhow, and refuses it in the same words.
LARGE = 256 * 1024
SMALL = 4 * 1024  # up to here every wrong place is told, above only the first


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
        if len(body) > LARGE:
            return body
        try:
            # an entry that needs no arguments needs no body
            value = pydantic_core.from_json(body or b"{}", allow_inf_nan=False)
        except ValueError as error:
            message = f"The body is not JSON: {error}."
            raise Problem(400, "request.not-json", message, hint) from None
        if self.validator is None or self.validator.is_valid(value):
            return body or b"{}"
        raise self._wrong(value if body else None, hint, len(body) <= SMALL)

    def _wrong(self, value: Any, hint: str, small: bool) -> Problem:
        assert self.validator is not None
        if isinstance(value, dict):
            errors = self.validator.iter_errors(value) if small else first(self.validator, value)
            found = wrong_input.details(errors, self.input)
        else:
            names = ", ".join(self.input.get("properties", ())) or "the arguments"
            arrived = "nothing" if value is None else words.got(value)
            found = (Detail("", f"a JSON object with {names} wanted, got {arrived}"),)
        return Problem(422, "request.invalid", wrong_input.summary(found), hint, found)


def first(validator: jsonschema_rs.Draft202012Validator, value: Any) -> Iterator[Any]:
    """The first error alone: its cost does not grow with their number."""
    try:
        validator.validate(value)
    except jsonschema_rs.ValidationError as error:
        yield error


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

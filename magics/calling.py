"""Calling an endpoint from Python: arrays and frames go in, its errors are raised here."""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import math
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from cellship.backend.client import Client
from cellship.backend.client_wire import api_error, is_loopback
from cellship.magics.grammar import Target
from cellship.snapshot.errors import CellshipError, NoBackend, UsageProblem

CONNECT_LIMIT = 5.0
ANSWER_LIMIT = 3600.0  # the gateway ends a call that takes too long, not we


@dataclass(frozen=True)
class Endpoint:
    """A deployment to call: `digits(row=X[1600])`. `version` pins one."""

    name: str
    url: str
    version: int | None = None
    method: str = ""

    def __call__(self, *values: Any, **arguments: Any) -> Any:
        """The endpoint's answer. Raises CellshipError with its message."""
        if values:
            raise UsageProblem(
                f"{self.name} takes its arguments by name: {self.name}(row=...)",
                code="call.by-name",
            )
        return self.ask(arguments)

    def ask(self, arguments: Mapping[str, Any]) -> Any:
        body = {key: to_json(value, f"/{key}") for key, value in arguments.items()}
        try:
            response = self._post(body)
        except requests.RequestException as error:
            raise NoBackend(
                f"{self.address} does not answer.",
                code="call.no-answer",
                hint="%cellship status; %cellship doctor says more.",
                log_text=str(error),
            ) from error
        if response.ok:
            return response.json() if response.content else None
        raise without_repeats(api_error(response.status_code, response.content))

    @property
    def address(self) -> str:
        pinned = f"{self.url}@{self.version}" if self.version is not None else self.url
        return f"{pinned}/{self.method}" if self.method else pinned

    def _post(self, body: Mapping[str, Any]) -> requests.Response:
        with requests.Session() as http:
            http.trust_env = not is_loopback(self.url)
            return http.post(self.address, json=body, timeout=(CONNECT_LIMIT, ANSWER_LIMIT))

    def __getattr__(self, method: str) -> Endpoint:
        """`digits.explain(row=...)` calls a method of a deployed object."""
        if method.startswith("_") or self.method:
            raise AttributeError(method)
        return Endpoint(self.name, self.url, self.version, method)

    def __repr__(self) -> str:
        return f"{self.name} at {self.address}"


def endpoint(client: Client, wanted: Target, method: str = "") -> Endpoint:
    """The endpoint of a deployment or of one of its versions. Raises NotFound."""
    found = client.deployment(wanted.name)
    number = None
    if wanted.version is not None:
        number = client.version(wanted.name, wanted.version).version
    return Endpoint(found.name, found.url, number, method)


def without_repeats(error: CellshipError) -> CellshipError:
    """Details that the message says already are not said twice."""
    if all(detail.message in error.message for detail in error.details):
        error.details = ()
    return error


def to_json(value: Any, path: str = "") -> Any:
    """The value as JSON holds it (DESIGN.md 7). Raises CellshipError naming what it cannot."""
    if value is None or is_missing(value):
        return None
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): to_json(item, f"{path}/{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item, f"{path}/{place}") for place, item in enumerate(value)]
    if isinstance(value, set | frozenset):
        return in_order([to_json(item, path) for item in value])
    return simple(value) if has_simple_form(value) else of_library(value, path)


def is_missing(value: Any) -> bool:
    """pandas' own words for nothing."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and any(value is one for one in (pandas.NaT, pandas.NA))


def has_simple_form(value: Any) -> bool:
    kinds = (dt.date, dt.time, bytes, bytearray, decimal.Decimal, uuid.UUID)
    return isinstance(value, kinds)


def simple(value: Any) -> str:
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    return str(value)


def of_library(value: Any, path: str) -> Any:
    """numpy, pandas and pydantic, where the notebook has them."""
    pandas, numpy = sys.modules.get("pandas"), sys.modules.get("numpy")
    if pandas is not None and isinstance(value, pandas.DataFrame):
        return {
            str(name): to_json(value[name].tolist(), f"{path}/{name}") for name in value.columns
        }
    if pandas is not None and isinstance(value, pandas.Series | pandas.Index):
        return to_json(value.tolist(), path)
    if numpy is not None and isinstance(value, numpy.ndarray | numpy.generic):
        return to_json(value.tolist(), path)
    if hasattr(value, "model_dump"):
        return to_json(value.model_dump(mode="json"), path)
    if hasattr(value, "tolist"):  # tensors and other arrays
        return to_json(value.tolist(), path)
    raise CellshipError(
        f"{path.lstrip('/') or 'the value'} is a {type(value).__name__}, which JSON cannot hold.",
        code="call.not-json",
        hint="Send numbers, text, lists, dicts, arrays or frames.",
    )


def in_order(items: list[Any]) -> list[Any]:
    try:
        return sorted(items)
    except TypeError:
        return sorted(items, key=repr)

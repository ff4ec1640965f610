"""From a path to what answers it. One Routing is in effect at a time and never changes."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from cellship.backend.gateway.deployment import Deployment
from cellship.backend.gateway.problem import Problem
from cellship.backend.gateway.schema import Method
from cellship.backend.gateway.table import RouteTable
from cellship.backend.gateway.version import Version

VERSION = re.compile(r"v?([1-9][0-9]{0,8})")
PAGES = ("openapi.json", "try", "example", "health")


@dataclass(frozen=True)
class Target:
    """What a path names. `version` is None where traffic decides; `page` is "" for a call."""

    deployment: Deployment
    version: Version | None
    method: str
    page: str
    hint: str

    def method_of(self, version: Version) -> Method:
        """Raises Problem (404, 500)."""
        found = version.methods.get(self.method)
        if found is None and not version.methods:
            raise no_schema(version)
        if found is None:
            raise no_method(version, self.method)
        return found


class Routing:
    """The table with everything that belongs to it in memory."""

    def __init__(self, table: RouteTable, deployments: Mapping[str, Deployment]) -> None:
        self.table = table
        self.deployments = deployments
        self.targets: dict[bytes, Target] = {}  # of paths that were found once, as they came

    def find(self, path: bytes) -> Target:
        """Raises Problem (400, 404)."""
        target = self._resolve(path)
        if len(path) < 200 and len(self.targets) < 10_000:
            self.targets[path] = target
        return target

    def _resolve(self, path: bytes) -> Target:
        steps = steps_of(path)
        name, _, number = steps[0].partition("@")
        deployment = self.deployments.get(name)
        if deployment is None:
            raise self._no_deployment(name)
        version = numbered(deployment, number) if "@" in steps[0] else None
        hint = f"GET /{steps[0]}/-/example"
        if steps[1:2] == ["-"]:
            return Target(deployment, version, "", page(name, steps[2:]), hint)
        if len(steps) > 2:
            raise Problem(404, "path.unknown", f"There is nothing at /{'/'.join(steps)}.", hint)
        return Target(deployment, version, steps[1] if len(steps) == 2 else "", "", hint)

    def _no_deployment(self, name: str) -> Problem:
        near = difflib.get_close_matches(name[:80], self.deployments, 3)
        known = near or sorted(self.deployments)[:10]
        said = f"There is no deployment {name[:80]}." if name else "A path here begins with a name."
        hint = f"Did you mean {' or '.join(near)}?" if near else f"There are: {', '.join(known)}."
        return Problem(
            404, "deployment.unknown", said, hint if known else "Nothing is deployed yet."
        )


def steps_of(path: bytes) -> list[str]:
    """The parts of a path, without the slash at its end. Raises Problem (400)."""
    text = path.decode("utf-8", "replace")
    if not text.startswith("/"):
        text = urlsplit(text).path or "/"  # absolute form; its host was checked with the headers
    bare, _, query = text.partition("?")
    if query:
        raise Problem(
            400,
            "request.query",
            "Arguments are taken from the JSON body, not from the address.",
            f"Send a JSON object as the body; an example: GET {bare}/-/example",
        )
    return unquote(bare.rstrip("/")).split("/")[1:] or [""]


def numbered(deployment: Deployment, number: str) -> Version:
    found = VERSION.fullmatch(number)
    version = deployment.versions.get(int(found[1])) if found else None
    if version is not None:
        return version
    known = ", ".join(f"{deployment.name}@{one}" for one in sorted(deployment.versions)[-5:])
    message = f"{deployment.name}@{number[:20]} does not answer here."
    raise Problem(404, "version.unknown", message, f"These do: {known}." if known else "")


def page(name: str, steps: list[str]) -> str:
    if len(steps) == 1 and steps[0] in PAGES:
        return steps[0]
    known = ", ".join(f"/{name}/-/{one}" for one in PAGES)
    raise Problem(404, "page.unknown", f"There is no such page of {name}.", f"There are: {known}.")


def no_schema(version: Version) -> Problem:
    message = f"What {version.label.decode()} takes cannot be read, so it cannot be called."
    return Problem(500, "version.no-schema", message, "The reason is in run/gateway.log.")


def no_method(version: Version, name: str) -> Problem:
    label, methods = version.label.decode(), sorted(one for one in version.methods if one)
    near = difflib.get_close_matches(name[:80], methods, 1)
    if not name:
        message = f"{label} cannot be called itself; it has methods."
    else:
        message = f"{label} has no method {name[:80]}."
    if near:
        return Problem(404, "method.unknown", message, f"Did you mean {near[0]}?")
    hint = f"It has: {', '.join(methods)}." if methods else "It has no methods: POST to its name."
    return Problem(404, "method.unknown", message, hint)

"""The gateway's own pages under `/NAME/-/`, and the methods that a path allows."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from cellship.backend.gateway import openapi
from cellship.backend.gateway.answers import answer
from cellship.backend.gateway.call import Call
from cellship.backend.gateway.problem import Problem
from cellship.backend.gateway.routing import Target
from cellship.backend.gateway.version import Version

Page = Callable[[Target], Any]


def answer_page(call: Call, target: Target) -> None:
    """Answer what is no call of an entry. Raises Problem."""
    if not target.page:
        raise wrong_verb("POST", f"Call {target.deployment.name} with POST.", target.hint)
    if call.verb not in (b"GET", b"HEAD"):
        raise wrong_verb("GET, HEAD", "This page is read with GET.", "")
    body = json.dumps(PAGES[target.page](target), ensure_ascii=False).encode("utf-8", "replace")
    if call.caller is not None:
        call.caller.answered(call, 200, answer(call, 200, body))


def wrong_verb(allowed: str, message: str, hint: str) -> Problem:
    return Problem(405, "request.method", message, hint, headers={"Allow": allowed})


def example(target: Target) -> Any:
    """The input of the first recorded example, as a request body."""
    version = main_version(target)
    try:
        recorded = json.loads(version.entry.examples.read_bytes())["examples"]
        inputs = [one["arguments"] for one in recorded if one.get("arguments") is not None]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        inputs = []
    if not inputs:
        message = f"No example was recorded for {version.label.decode()}."
        raise Problem(404, "example.none", message, "Call the entry once in its cell.")
    return inputs[0]


def health(target: Target) -> Any:
    """200 while a call would be taken; the reason otherwise."""
    deployment = target.deployment
    if not deployment.is_open:
        raise deployment.nobody()
    versions = [target.version] if target.version else deployment.answering()
    ready = [one for one in versions if any(link.ready.is_set() for link in one.links)]
    if not ready:
        raise deployment.nobody()
    return {
        "name": deployment.name,
        "state": "ready",
        "versions": [state_of(one) for one in versions],
    }


def state_of(version: Version) -> dict[str, Any]:
    return {
        "version": version.label.decode(),
        "replicas": sum(link.ready.is_set() for link in version.links),
        "in_flight": sum(len(link.running) for link in version.links),
        "waiting": len(version.waiting),
    }


def description(target: Target) -> Any:
    version = main_version(target)
    return openapi.document(target.deployment.name, version.label.decode(), version.methods)


def not_yet(target: Target) -> Any:
    message = "The page to try an entry does not exist yet."
    hint = f"{target.hint} gives a body that can be sent with curl."
    raise Problem(501, "page.not-yet", message, hint)


def main_version(target: Target) -> Version:
    version = target.version or target.deployment.main()
    if version is None:
        raise target.deployment.nobody()
    return version


PAGES: dict[str, Page] = {
    "openapi.json": description,
    "example": example,
    "health": health,
    "try": not_yet,
}

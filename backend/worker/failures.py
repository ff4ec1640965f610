"""FAIL frames: what went wrong, for the caller. A traceback is for the log, never in here."""

from __future__ import annotations

import json
from typing import Any, List, Tuple

from .codec import Mismatch, NotJson
from .frames import Kind, frame

SHOWN = 3


def fail(stream: int, status: int, code: str, message: str, **more: Any) -> bytes:
    """A FAIL frame; `more` is hint and details."""
    error = {"code": code, "message": message, "hint": "", "details": [], **more}
    return frame(Kind.FAIL, stream, json.dumps({"status": status, "error": error}).encode())


def wrong_input(stream: int, deployment: str, error: Mismatch) -> bytes:
    """The 422 that the gateway sends too."""
    details = [{"path": path, "message": message} for path, message in error.found]
    hint = "GET /{}/-/example".format(deployment)
    message = summary(error.found)
    return fail(stream, 422, "request.invalid", message, hint=hint, details=details)


def raised(stream: int, name: str, error: BaseException, request_id: str) -> bytes:
    """User code raised: the type is told, its text may hold what callers must not see."""
    message = "{} raised {}.".format(name, type(error).__name__)
    hint = "The traceback is in the log" + (
        ", at request {}.".format(request_id) if request_id else "."
    )
    return fail(stream, 500, "entry.raised", message, hint=hint)


def not_json(stream: int, name: str, error: NotJson) -> bytes:
    """The answer is a value that JSON cannot hold."""
    place = "at {} ".format(error.path) if error.path else ""
    message = "{} answered a value of type {} {}that JSON cannot hold.".format(
        name, error.type, place
    )
    hint = "Return numbers, text, lists, dicts, or what can become them."
    details = [{"path": error.path, "message": error.type}]
    return fail(stream, 500, "entry.answer-not-json", message, hint=hint, details=details)


def no_method(stream: int, deployment: str, method: str) -> bytes:
    message = "{} has no method {}.".format(deployment, method)
    return fail(stream, 404, "entry.no-method", message)


def cancelled(stream: int) -> bytes:
    """For a call that was taken back: its sender waits for the worker to be done with it."""
    return fail(stream, 499, "call.cancelled", "The caller left; the call did not run to its end.")


def stopping(stream: int) -> bytes:
    """The call came after the order to stop, and did not run."""
    return fail(stream, 503, "replica.stopping", "This replica stops; the call did not run.")


def too_large(stream: int, name: str, size: int) -> bytes:
    message = "{} answered {} MiB; 255 MiB fit.".format(name, size >> 20)
    return fail(stream, 500, "entry.answer-too-large", message)


def summary(found: List[Tuple[str, str]]) -> str:
    """The first few places as one line: `row: missing; rows[2].age: a number wanted, got text`."""
    said = [": ".join(filter(None, (dotted(path), message))) for path, message in found[:SHOWN]]
    rest = len(found) - SHOWN
    return "; ".join(said) + ("; and {} more".format(rest) if rest > 0 else "")


def dotted(path: str) -> str:
    """A JSON pointer as a person writes it: `rows[2].age`."""
    text = ""
    for step in path.split("/")[1:]:
        step = step.replace("~1", "/").replace("~0", "~")
        text += "[{}]".format(step) if step.isdigit() else "." + step if text else step
    return text

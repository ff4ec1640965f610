"""What the user reads when something cannot be done.

    CellshipError            code, message, hint, details, log text and request id, apart
      CaptureRefused         this cell cannot be shipped whole; nothing left the notebook
      UsageProblem           the line was not understood                       (exit code 2)
      NotFound               no such deployment, version, file                 (3)
      Refused                understood, and not allowed as things stand       (4)
      NoBackend              the service does not answer                       (5)
      StillGoingOn           the wait ended, the work has not                  (6)

`IPython` prints `_render_traceback_` in place of a traceback, so that nbclient, papermill and nbval
fail with the same words that a person reads (ANCHORS.md 3.6).
"""

from __future__ import annotations

import os
import traceback
from dataclasses import dataclass


@dataclass(frozen=True)
class Detail:
    """One wrong place in the input: a JSON pointer and what was wanted there."""

    path: str
    message: str


class CellshipError(Exception):
    """A failure with a sentence for the user. `str()` is what is shown."""

    exit_code = 1

    def __init__(
        self,
        message: str,
        *,
        code: str = "failed",
        hint: str = "",
        details: tuple[Detail, ...] = (),
        log_text: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.hint = hint
        self.details = details
        self.log_text = log_text
        self.request_id = request_id

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """The message, its details, the hint and the code, a line each."""
        shown = self.message.splitlines()
        shown += [f"  {detail.path}: {detail.message}" for detail in self.details]
        shown += [f"  {line}" for line in self.hint.splitlines()]
        if "." in self.code:
            shown.append(f"  {self.code} · %cellship explain {self.code}")
        if self.request_id:
            shown.append(f"  request {self.request_id}")
        return shown

    def _render_traceback_(self) -> list[str]:
        if os.environ.get("CELLSHIP_DEBUG"):
            return traceback.format_exception(self)
        return self.lines()


class CaptureRefused(CellshipError):
    """The cell cannot be shipped whole. Names the variable, the cell, the line and the fix."""

    exit_code = 4


class UsageProblem(CellshipError):
    """The line was not understood."""

    exit_code = 2


class NotFound(CellshipError):
    """No such deployment, version or file."""

    exit_code = 3


class Refused(CellshipError):
    """Understood, and not allowed as things stand."""

    exit_code = 4


class NoBackend(CellshipError):
    """The service does not answer; the hint says how to start it."""

    exit_code = 5


class StillGoingOn(CellshipError):
    """The wait ended and the work has not."""

    exit_code = 6

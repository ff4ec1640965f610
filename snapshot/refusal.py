"""Where something is, and the refusal that says so: variable, cell, line, fix."""

from __future__ import annotations

from dataclasses import dataclass

from cellship.snapshot.errors import CaptureRefused


@dataclass(frozen=True)
class Place:
    """Who needs something, and where: `score() reads …  cell 7, line 2`."""

    reader: str = ""
    cell: int | None = None
    line: int | None = None

    def text(self) -> str:
        """`cell 7, line 2`, as much of it as is known."""
        parts = [f"cell {self.cell}"] if self.cell is not None else []
        parts += [f"line {self.line}"] if self.line is not None else []
        return ", ".join(parts)

    def suffix(self) -> str:
        """The same as the end of a sentence: ` (cell 7, line 2)`."""
        return f" ({self.text()})" if self.text() else ""


class Unshippable(Exception):
    """Raised deep in a value, where its path is not known; turned into a refusal further out."""

    def __init__(self, code: str, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.hint = hint


def refused(
    code: str, message: str, hint: str, place: Place | None = None, path: str = "", log: str = ""
) -> CaptureRefused:
    """A refusal. `path` names the variable where the message does not: `score.session`."""
    where = place or Place()
    shown = [
        message + where.suffix() if where.text() not in message or not where.text() else message
    ]
    if path and path not in message:
        shown.append(f"  It is held by {path}.")
    return CaptureRefused("\n".join(shown), code=code, hint=hint, log_text=log)

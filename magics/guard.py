"""The last door before the user's eyes: what comes out is an error of ours in words, or theirs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from cellship.magics.interrupts import Interrupted
from cellship.snapshot.errors import CellshipError

COMMAND = re.compile(r"^cellship (?=[a-z])", re.MULTILINE)


@contextmanager
def guarded() -> Iterator[None]:
    """A failure that nobody foresaw becomes a CellshipError; the user's own errors pass.

    A hint that begins with the command gets the percent sign that a notebook needs.
    """
    try:
        yield
    except CellshipError as error:
        error.hint = COMMAND.sub("%cellship ", error.hint)
        raise
    except KeyboardInterrupt as error:
        if hasattr(error, "_render_traceback_"):
            raise
        raise Interrupted("Interrupted.", code="line.interrupted") from error
    except Exception as error:
        if hasattr(error, "_render_traceback_"):  # the user's own, see users_error.py
            raise
        raise defect(error) from error


def defect(error: Exception) -> CellshipError:
    """What to say of a failure that nobody foresaw; CELLSHIP_DEBUG shows its traceback."""
    told = CellshipError(
        f"Cellship made a mistake: {type(error).__name__}: {error}",
        code="internal.defect",
        hint="CELLSHIP_DEBUG=1 in the environment shows where. Nothing that answered has changed.",
    )
    told.__cause__ = error
    return told

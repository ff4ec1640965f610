"""An error of the user's own cell is shown as in any cell: no frames of ours, nor of IPython's."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from cellship.snapshot.errors import CellshipError


@contextmanager
def shown_as_the_users(shell: Any) -> Iterator[None]:
    """Let the error through as it is, and have its traceback begin in the user's cell."""
    try:
        yield
    except CellshipError:
        raise
    except BaseException as error:
        lines = user_lines(shell, error)
        with suppress(AttributeError, TypeError):  # a class with slots keeps its full traceback
            error._render_traceback_ = lambda: lines  # type: ignore[attr-defined]
        raise


def user_lines(shell: Any, error: BaseException) -> list[str]:
    """The traceback from the first frame that runs in the notebook's namespace."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_globals is not shell.user_ns:
        trace = trace.tb_next
    if trace is None:
        return traceback.format_exception_only(type(error), error)
    found = shell.InteractiveTB.structured_traceback(type(error), error, trace, tb_offset=0)
    return [str(line) for line in found]

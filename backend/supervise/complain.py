"""Words for run/supervisor.log, said even where they cannot be written."""

from __future__ import annotations

import sys
from contextlib import suppress


def complain(text: str) -> None:
    """A line of the log; none if the disk is full."""
    with suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)

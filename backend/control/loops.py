"""Work that is done again and again for as long as the control plane runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

LOG = logging.getLogger("cellship.control")


async def forever(work: Callable[[], Awaitable[None]], pause: float) -> None:
    """Do the work, wait, do it again; a mistake in it is logged and does not end it."""
    while True:
        try:
            await work()
        except Exception:
            LOG.exception("%s failed; it is tried again", work.__qualname__)
            await asyncio.sleep(1.0)
        await asyncio.sleep(pause)

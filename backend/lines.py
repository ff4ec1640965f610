"""Questions to the supervisor and the gateway: a JSON object per line, over a Unix socket."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

LIMIT = 64 * 1024 * 1024


class NobodyAnswers(Exception):
    """The process behind the socket is away: being started again, or nothing runs."""


async def ask(path: Path, question: dict[str, Any], limit: float = 10.0) -> dict[str, Any]:
    """The answer to one question. Raises NobodyAnswers."""
    try:
        return await asyncio.wait_for(exchange(path, question), limit)
    except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError) as error:
        raise NobodyAnswers(f"{path.name}: {error!r}") from error


async def exchange(path: Path, question: dict[str, Any]) -> dict[str, Any]:
    reader, writer = await asyncio.open_unix_connection(str(path), limit=LIMIT)
    try:
        writer.write(json.dumps(question).encode() + b"\n")
        await writer.drain()
        answer: dict[str, Any] = json.loads(await reader.readuntil(b"\n"))
        return answer
    finally:
        writer.close()

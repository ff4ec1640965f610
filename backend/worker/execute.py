"""Verb `exec`: one expression over all names of a snapshot, in the main thread, no loop running."""

from __future__ import annotations

import inspect
import os
import traceback
from types import TracebackType
from typing import Any, Coroutine, Dict, Mapping, Optional

from .restore import restore


def execute(job: Mapping[str, Any]) -> Dict[str, Any]:
    """{"ok": True, "repr"} or {"ok": False, "error", "traceback"}."""
    try:
        return {"ok": True, "repr": repr(evaluate(job))}
    except Exception as error:
        return failure(error)


def evaluate(job: Mapping[str, Any]) -> Any:
    namespace = restore(job["snapshot"]).namespace
    value = eval(compile(job["expression"].strip(), "<exec>", "eval"), namespace)
    return finished(value) if inspect.iscoroutine(value) else value


def finished(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The answer of an `async def` entry, as its caller would get it."""
    import asyncio

    async def answer() -> Any:
        return await coroutine

    return asyncio.run(answer())


def failure(error: BaseException) -> Dict[str, Any]:
    """What a failed evaluation says, without our own frames."""
    text = "".join(traceback.format_exception(type(error), error, user_frames(error)))
    return {"ok": False, "error": one_line(error), "traceback": text}


def one_line(error: BaseException) -> str:
    """`ValueError: what it says`."""
    return "".join(traceback.format_exception_only(type(error), error)).strip()


def user_frames(error: BaseException) -> Optional[TracebackType]:
    """The traceback from the first frame that is not this package's."""
    own = os.path.dirname(os.path.abspath(__file__))
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith(own):
        frames = frames.tb_next
    return frames

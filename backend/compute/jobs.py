"""A worker verb that runs to its end (`admit`, `exec`); dies with the service, leaves nothing."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OUTPUT_SHOWN = 64 * 1024


@dataclass(frozen=True)
class Worker:
    """How a worker of one environment is started."""

    python: Path
    variables: Mapping[str, str]
    build: Path

    def command(self, verb: str) -> list[str]:
        return [str(self.python), "-I", str(self.build), verb]


@dataclass(frozen=True)
class JobEnd:
    """`result` is None if the worker ended without one: crashed, killed, or out of time."""

    result: dict[str, Any] | None
    code: int
    output: str
    timed_out: bool = False


async def run_job(
    worker: Worker, verb: str, job: Mapping[str, Any], folder: Path, limit: float
) -> JobEnd:
    """Run a verb with `folder` as its scratch space (made here, removed afterwards)."""
    for name in ("work", "home", "tmp"):
        (folder / name).mkdir(parents=True)
    whole = {
        **job,
        "work": str(folder / "work"),
        "home": str(folder / "home"),
        "tmp": str(folder / "tmp"),
        "result": str(folder / "result.json"),
    }
    try:
        return await watch(worker, verb, whole, folder, limit)
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def watch(
    worker: Worker, verb: str, job: Mapping[str, Any], folder: Path, limit: float
) -> JobEnd:
    with open(folder / "output", "wb") as output:
        process = await asyncio.create_subprocess_exec(
            *worker.command(verb),
            stdin=asyncio.subprocess.PIPE,
            stdout=output,
            stderr=output,
            cwd=folder / "work",
            env=dict(worker.variables),
            start_new_session=True,
        )
    timed_out = False
    try:
        # standard input stays open: its end tells the worker that the service is gone
        assert process.stdin is not None
        process.stdin.write(json.dumps(job).encode() + b"\n")
        with suppress(ConnectionError):
            await process.stdin.drain()
        await asyncio.wait_for(process.wait(), limit)
    except asyncio.TimeoutError:
        timed_out = True
    finally:
        end_group(process)
        code = await process.wait()
    return JobEnd(read_result(folder), code, tail(folder / "output"), timed_out)


def end_group(process: asyncio.subprocess.Process) -> None:
    """Kill the worker and whatever it started that is still in its session."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def read_result(folder: Path) -> dict[str, Any] | None:
    try:
        result: dict[str, Any] = json.loads((folder / "result.json").read_text())
    except (FileNotFoundError, ValueError):
        return None
    return result


def tail(path: Path) -> str:
    with open(path, "rb") as output:
        output.seek(max(0, path.stat().st_size - OUTPUT_SHOWN))
        return output.read().decode(errors="replace")

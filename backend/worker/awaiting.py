"""The loop for an `async def`: many calls at once on one asyncio loop, in the main thread."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, Dict, List, Tuple

from . import failures
from .connection import Connection
from .dispatch import Methods
from .door import Door
from .logs import Logs
from .stand_in import StandIn

TICK = 1.0


class AwaitingLoop:
    """`run` returns when the worker was told to stop and has done so."""

    def __init__(self, door: Door, methods: Methods, logs: Logs, concurrency: int) -> None:
        self._door = door
        self._methods = methods
        self._logs = logs
        self._free = concurrency
        # held for whatever touches the door: the stand-in does that while user code awaits nothing
        self._lock = threading.Lock()
        self._stand_in = StandIn(self)
        self.turns = 0
        self._answers: List[Tuple[Connection, bytes]] = []
        self._running: Dict[Tuple[Connection, int], asyncio.Task[None]] = {}

    @property
    def busy(self) -> bool:
        return bool(self._running)

    def run(self) -> None:
        self._stand_in.start()
        asyncio.run(self._serve())

    def step(self) -> None:
        """Hear what is said while the loop may be blocked. For the stand-in."""
        self._hear()
        self._loop.call_soon_threadsafe(self._look)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        # the door's selector is itself a descriptor that can be waited for
        self._loop.add_reader(self._door.selector.fileno(), self._look)
        self._loop.call_soon(self._look)
        self._tick()
        await self._stopped.wait()
        self._loop.remove_reader(self._door.selector.fileno())

    def _tick(self) -> None:
        self._logs.segments.tick()
        self._loop.call_later(TICK, self._tick)

    def _look(self) -> None:
        self._hear()
        self.turns += 1
        self._begin()
        if self._door.closed and not self._door.calls and not self._running:
            self._stopped.set()

    def _hear(self) -> None:
        door = self._door
        with self._lock:
            door.handle(door.selector.select(0))
            if door.stopping:
                door.close()

    def _begin(self) -> None:
        cancelled = self._door.cancelled
        while cancelled:
            self._cancel(cancelled.pop())
        while self._free and self._door.calls:
            connection, stream, payload = self._door.calls.popleft()
            self._free -= 1
            task = self._loop.create_task(self._run(connection, stream, payload))
            self._running[connection, stream] = task
        if self._running and self._stand_in.parked:
            self._stand_in.call()

    async def _run(self, connection: Connection, stream: int, payload: bytes) -> None:
        answer = await self._answer(stream, payload)
        self._running.pop((connection, stream), None)
        self._free += 1
        self._give(connection, answer)

    def _give(self, connection: Connection, answer: bytes) -> None:
        if not self._answers:
            self._loop.call_soon(self._deliver)  # with all that end in this turn of the loop
        self._answers.append((connection, answer))

    async def _answer(self, stream: int, payload: bytes) -> bytes:
        found = self._methods.find(stream, payload)
        if isinstance(found, bytes):
            return found
        method, request_id, body = found
        answer = await method.call_async(stream, request_id, body)
        self._logs.end_call()
        return answer

    def _deliver(self) -> None:
        answers, self._answers = self._answers, []
        with self._lock:
            self._door.deliver(answers)
        self._look()

    def _cancel(self, key: Tuple[Connection, int]) -> None:
        task: Any = self._running.get(key)
        if task is not None:
            task.cancel()
            return
        for call in list(self._door.calls):
            if (call[0], call[1]) == key:
                self._door.calls.remove(call)
                self._give(call[0], failures.cancelled(call[1]))

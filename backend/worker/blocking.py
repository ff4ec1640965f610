"""The loop for a `def`: one call after the other, in the main thread.

It reads what is there, answers each call, and sends the answers of a turn in one write per
connection. A turn ends after a millisecond, so that a slow call delays no answer that is done.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Deque, Tuple

from . import failures
from .connection import Connection
from .dispatch import Methods
from .door import Door, Events
from .logs import Logs
from .stand_in import StandIn
from .streams import REQUEST_ID

TURN = 0.001
IDLE = 1.0


class BlockingLoop:
    """`run` returns when the worker was told to stop and has done so."""

    def __init__(self, door: Door, methods: Methods, logs: Logs) -> None:
        self._door = door
        self._methods = methods
        self._logs = logs
        # held for whatever touches the door: the stand-in does that while a call is long
        self.lock = threading.Lock()
        self.busy = False
        self.turns = 0
        self._answers: Deque[Tuple[Connection, bytes]] = deque()

    def run(self) -> None:
        door, lock = self._door, self.lock
        stand_in = StandIn(self)
        stand_in.start()
        timeout = 0.0
        while not (door.closed and not door.calls):
            events = door.selector.select(timeout)
            with lock:
                self._hear(events)
            if door.calls:
                self.busy = True
                if stand_in.parked:
                    stand_in.call()
                self._turn()
                self.busy = False
                with lock:
                    self._deliver()
            elif not events:
                self._logs.segments.tick()
            timeout = 0.0 if door.calls else IDLE

    def step(self) -> None:
        """What the door needs while a call runs. For the stand-in."""
        with self.lock:
            self._hear(self._door.selector.select(0))
            self._deliver()

    def _hear(self, events: Events) -> None:
        self._door.handle(events)
        if self._door.stopping:
            self._door.close()

    def _deliver(self) -> None:
        """Send what is answered; the turn may go on meanwhile and add to it."""
        answers = self._answers
        self._door.deliver([answers.popleft() for _ in range(len(answers))])

    def _turn(self) -> None:
        """Answer calls for about a millisecond."""
        calls, cancelled, answers = self._door.calls, self._door.cancelled, self._answers
        deadline = time.monotonic() + TURN
        while calls:
            connection, stream, payload = calls.popleft()
            if cancelled and (connection, stream) in cancelled:
                answers.append((connection, failures.cancelled(stream)))
            elif connection.open:
                answers.append((connection, self._answer(stream, payload)))
            if time.monotonic() > deadline:
                break
        if cancelled and not calls:
            cancelled.clear()  # whoever is still in there has been answered
        REQUEST_ID.set("-")
        self.turns += 1

    def _answer(self, stream: int, payload: bytes) -> bytes:
        found = self._methods.find(stream, payload)
        if isinstance(found, bytes):
            return found
        method, request_id, body = found
        answer = method.call(stream, request_id, body)
        self._logs.end_call()
        return answer

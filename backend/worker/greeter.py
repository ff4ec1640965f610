"""Serves a worker's socket while the main thread restores the snapshot."""

from __future__ import annotations

import os
import threading

from .door import Door


class Greeter(threading.Thread):
    """Greets, answers PING, collects calls for later; an order to stop ends the process."""

    def __init__(self, door: Door) -> None:
        super().__init__(name="cellship-greeter", daemon=True)
        self._door = door
        self._ending = False

    def run(self) -> None:
        while not self._ending:
            self._door.handle(self._door.selector.select())
            if self._door.stopping:
                self._door.close()
                os._exit(0)  # nothing runs yet that could be finished

    def end(self) -> None:
        """The door belongs to the main thread again."""
        self._ending = True
        self._door.wake()
        self.join()

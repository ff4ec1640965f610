"""`first-deploy`: a digits model into an empty data folder, cell start to the first 200."""

from __future__ import annotations

import tempfile
import threading
import time
from pathlib import Path

import requests
from tests.driver import Service, kernel, service

from benchmarks import digits
from benchmarks.rows import Row, median, row, spread

RUNS = 5


def measure() -> list[Row]:
    seconds = [first_deploy() for _ in range(RUNS)]
    how = "cell start to the first 200, asked every 5 ms; new data folder each time, backend up"
    return [row("first-deploy", median(seconds), "s", RUNS, spread(seconds), how)]


def first_deploy() -> float:
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        service(Path(folder)) as running,
        kernel(running, Path(folder)) as notebook,
    ):
        digits.fitted(notebook)
        answered = FirstAnswer(running)
        began = time.monotonic()
        notebook.run(digits.DEPLOY)
        return answered.at() - began


class FirstAnswer(threading.Thread):
    """Asks the endpoint until it answers."""

    def __init__(self, running: Service) -> None:
        super().__init__(daemon=True)
        self.url = running.url("digits")
        self.body = {"row": digits.row()}
        self.time = 0.0
        self.start()

    def run(self) -> None:
        with requests.Session() as session:
            while session.post(self.url, json=self.body, timeout=30).status_code != 200:
                time.sleep(0.005)
            self.time = time.monotonic()

    def at(self) -> float:
        self.join(timeout=30)
        if not self.time:
            raise RuntimeError("the endpoint did not answer within 30 s of the cell's end")
        return self.time

"""`first-deploy`: a digits model into an empty data folder, cell start to the first 200."""

from __future__ import annotations

import threading
import time

import requests
from tests.driver import Service, kernel, service

from benchmarks import digits
from benchmarks.folders import new_folder
from benchmarks.rows import Row, median, row, spread

RUNS = 5
# what can be seen in the data folder from outside, in the order in which it comes to be
SIGNS = {
    "found what ships": "leases/*",
    "copied, stored and environment built": "environments/*",
    "admitted and committed": "workspace.git/refs/tags/digits/v1",
    "answered": "",
}


def measure() -> list[Row]:
    runs = [first_deploy() for _ in range(RUNS)]
    seconds = [sum(phases.values()) for phases in runs]
    where = ", ".join(f"{name} {median([phases[name] for phases in runs])}" for name in SIGNS)
    how = f"cell start to the first 200, asked every 5 ms; new data folder, backend up; {where}"
    return [row("first-deploy", median(seconds), "s", RUNS, spread(seconds), how)]


def first_deploy() -> dict[str, float]:
    """Seconds of each phase."""
    with (
        new_folder() as folder,
        service(folder, keep=True) as running,
        kernel(running, folder) as notebook,
    ):
        digits.fitted(notebook)
        seen = FirstAnswer(running)
        began = time.monotonic()
        notebook.run(digits.DEPLOY)
        return seen.phases(began)


class FirstAnswer(threading.Thread):
    """Looks at the data folder, and asks the endpoint until it answers."""

    def __init__(self, running: Service) -> None:
        super().__init__(daemon=True)
        self.data, self.url = running.data, running.url("digits")
        self.body = {"row": digits.row()}
        self.times: dict[str, float] = {}
        self.start()

    def run(self) -> None:
        with requests.Session() as session:
            for name, sign in SIGNS.items():
                while not (self.there(sign) if sign else self.answers(session)):
                    time.sleep(0.005)
                self.times[name] = time.monotonic()

    def there(self, sign: str) -> bool:
        return any(not path.name.startswith(".") for path in self.data.glob(sign))

    def answers(self, session: requests.Session) -> bool:
        return session.post(self.url, json=self.body, timeout=30).status_code == 200

    def phases(self, began: float) -> dict[str, float]:
        self.join(timeout=30)
        if set(self.times) != set(SIGNS):
            raise RuntimeError(f"after the cell had ended only this was seen: {sorted(self.times)}")
        ends = list(self.times.values())
        starts = [began, *ends]
        return dict(
            zip(SIGNS, (end - start for start, end in zip(starts, ends, strict=False)), strict=True)
        )

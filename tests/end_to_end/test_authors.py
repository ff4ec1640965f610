"""Two who ship at once, and one who changes their mind."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

from tests.driver import Kernel, Ran, Service, until

CELL = "%%deploy {name}\ndef f(x: int) -> int:\n    return x + {n}\n"


def test_two_notebooks_deploy_one_name(
    shared: Service, notebooks: Callable[[], Kernel], name: str
) -> None:
    kernels = [notebooks(), notebooks()]
    ran: list[Ran] = []

    def ship(kernel: Kernel, n: int) -> None:
        ran.append(kernel.attempt(CELL.format(name=name, n=n)))

    threads = [
        threading.Thread(target=ship, args=(kernel, n)) for n, kernel in enumerate(kernels, 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [each.error for each in ran] == ["", ""], [each.text for each in ran]
    versions = {each["version"]: each for each in shared.listed("versions", name)}
    assert sorted(versions) == [1, 2]
    answers = {version: shared.call(f"{name}@{version}", x=0).json() for version in versions}
    assert sorted(answers.values()) == [1, 2]
    assert shared.call(name, x=0).json() == answers[2], "the later commit has the traffic"


def test_an_interrupt_during_the_upload_leaves_nothing(own: Service, notebook: Kernel) -> None:
    notebook.run("import numpy as np\nbig = np.random.default_rng(0).random((400, 1 << 17))")
    pid = int(notebook.run("import os; print(os.getpid())").text)
    cell = "%%deploy big\ndef big_row(n: int) -> float:\n    return float(big[n, 0])\n"

    interrupted = Interrupt(pid, lambda: leased(own))
    failed = notebook.attempt(cell)
    interrupted.join()
    assert failed.error, "the deploy had ended before it was interrupted"
    assert "Traceback" not in failed.message
    assert own.command("versions", "big").returncode == 3
    until(lambda: not leased(own), what="the lease is gone")

    assert notebook.run("1 + 1").text.strip() == "2"
    notebook.run(cell)
    assert own.call("big", n=0).status_code == 200


def leased(running: Service) -> list[Path]:
    return list((running.data / "leases").iterdir())


class Interrupt(threading.Thread):
    """What the stop button does, as soon as something has happened."""

    def __init__(self, pid: int, happened: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self.pid, self.happened = pid, happened
        self.start()

    def run(self) -> None:
        until(self.happened, limit=60, what="the upload has begun")
        os.kill(self.pid, signal.SIGINT)

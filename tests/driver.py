"""Drives the product as its users do: the `cellship` command, a Jupyter kernel, HTTP.

The end-to-end tests and the benchmarks stand on it. Nothing here knows the service from inside.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import psutil
import requests
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

CELLSHIP = str(Path(sys.executable).with_name("cellship"))
TERMINAL = re.compile(r"\x1b\[[0-9;]*m")


class Failed(Exception):
    """A command or a cell ended otherwise than it should have."""


class Service:
    """A service of its own: its data folder, its ports, its processes."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.environment = clean_environment() | {"CELLSHIP_DATA": str(data)}

    def up(self) -> None:
        self.cellship("up")

    def down(self) -> None:
        self.cellship("down")

    def cellship(self, *words: str, code: int = 0, timeout: float = 120) -> str:
        """What the command prints; raises Failed if it ends with another code."""
        done = self.command(*words, timeout=timeout)
        if done.returncode != code:
            said = done.stdout + done.stderr
            raise Failed(f"cellship {' '.join(words)} ended with {done.returncode}\n{said}")
        return done.stdout

    def command(self, *words: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [CELLSHIP, *words],
            capture_output=True,
            text=True,
            timeout=timeout,
            env=self.environment,
            cwd=self.data.parent,
            stdin=subprocess.DEVNULL,
        )

    def listed(self, *words: str) -> list[dict[str, Any]]:
        """The objects that a command lists with --json."""
        found: list[dict[str, Any]] = json.loads(self.cellship(*words, "--json"))
        return found

    @property
    def facts(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.data / "run" / "backend.json").read_text())
        return found

    def url(self, path: str = "") -> str:
        """An address at the gateway, whose port is chosen once per data folder."""
        port = json.loads((self.data / "data.json").read_text())["gateway_port"]
        return f"http://127.0.0.1:{port}/{path}"

    def call(self, name: str, timeout: float = 30, **arguments: Any) -> requests.Response:
        return requests.post(self.url(name), json=arguments, timeout=timeout)

    def api(self, verb: str, path: str, body: Any = None, timeout: float = 60) -> requests.Response:
        facts = self.facts
        return requests.request(
            verb,
            f"{facts['address']}/api/v1{path}",
            json=body,
            headers={"Authorization": f"Bearer {facts['token']}"},
            timeout=timeout,
        )

    def processes(self, kind: str = "") -> list[psutil.Process]:
        """Everything that runs for this data folder; `kind` is a word of its command line."""
        found = []
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or []
            if any(str(self.data) in word for word in words) and any(
                kind in word for word in words
            ):
                found.append(process)
        return [process for process in found if process.is_running() and not is_zombie(process)]


@dataclass
class Ran:
    """What a cell showed and how long it took."""

    text: str
    seconds: float
    error: str = ""
    message: str = ""
    outputs: list[Any] = field(default_factory=list)


class Kernel:
    """A Jupyter kernel in which cells are run one after the other."""

    def __init__(self, client: NotebookClient) -> None:
        self.client = client

    def run(self, source: str) -> Ran:
        """Run a cell; raises Failed where it raises."""
        ran = self.attempt(source)
        if ran.error:
            raise Failed(f"{source}\n---\n{ran.error}: {ran.message}\n{ran.text}")
        return ran

    def attempt(self, source: str) -> Ran:
        """Run a cell that may raise."""
        cell = nbformat.v4.new_code_cell(source)
        self.client.nb.cells.append(cell)
        error = message = ""
        began = time.perf_counter()
        try:
            self.client.execute_cell(cell, len(self.client.nb.cells) - 1)
        except CellExecutionError as raised:
            error, message = raised.ename, raised.evalue
        seconds = time.perf_counter() - began
        return Ran(shown(cell), seconds, error, TERMINAL.sub("", message), cell.outputs)

    def interrupted(self, source: str, when: Callable[[], Any]) -> Ran:
        """Run a cell, and press stop as soon as something has happened."""
        pid = int(self.run("import os; print(os.getpid())").text)

        def press() -> None:
            until(when, limit=60, what="the moment to interrupt")
            os.kill(pid, signal.SIGINT)

        pressing = threading.Thread(target=press, daemon=True)
        pressing.start()
        ran = self.attempt(source)
        pressing.join()
        return ran


@contextmanager
def kernel(service: Service, folder: Path, timeout: float = 120) -> Iterator[Kernel]:
    """A kernel that finds this service, started in `folder`, ended with the block."""
    client = NotebookClient(
        nbformat.v4.new_notebook(),
        timeout=timeout,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
    )
    manager = client.create_kernel_manager()
    with tempfile.TemporaryDirectory(prefix="kernel-") as sockets:
        # sockets in a folder: two kernels that start at once could choose the same free port
        manager.transport, manager.ip = "ipc", f"{sockets}/ipc"
        with client.setup_kernel(env=service.environment, stderr=subprocess.DEVNULL):
            yield Kernel(client)


def shown(cell: Any) -> str:
    """The text of a cell's outputs, as a terminal would show it."""
    parts = []
    for output in cell.outputs:
        if output.output_type == "stream":
            parts.append(output.text)
        elif output.output_type == "error":
            parts.append("\n".join(output.traceback))
        else:
            parts.append(output.data.get("text/plain", "") + "\n")
    return TERMINAL.sub("", "".join(parts))


@contextmanager
def service(folder: Path, keep: bool = False) -> Iterator[Service]:
    """A running service in `folder`/data; afterwards nothing of it runs, and its data is gone."""
    made = Service(folder / "data")
    try:
        made.up()
        yield made
    finally:
        stop(made)
        if not keep:
            shutil.rmtree(made.data, ignore_errors=True)


def stop(made: Service) -> None:
    """End the service; raises Failed for processes that outlive it, having ended those too."""
    if made.data.exists():
        made.command("down")
    try:
        until(lambda: not made.processes(), limit=5, what="everything has ended")
    except Failed:
        left = made.processes()
        commands = [command(process) for process in left]
        for process in left:
            process.kill()
        raise Failed(f"still running after `cellship down`: {commands}") from None


def until(happened: Callable[[], Any], limit: float = 20, what: str = "") -> Any:
    """Ask until the answer is true, and return it; raises Failed at the deadline."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        if found := happened():
            return found
        time.sleep(0.01)
    raise Failed(f"not within {limit} s: {what or happened}")


def clean_environment() -> dict[str, str]:
    """The caller's environment without what would point at another service or another Python."""
    left_out = ("CELLSHIP_", "PYTHON", "JUPYTER_", "IPYTHON", "COV_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    # the kernel named python3 is the one of this environment
    return kept | {"JUPYTER_PREFER_ENV_PATH": "1"}


def is_zombie(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def command(process: psutil.Process) -> list[str]:
    """The command line, empty for a process that has ended in this moment."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []

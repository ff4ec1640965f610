"""A data folder with a supervisor that is a real process, and ways to ask it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from cellship.backend.supervise.sockets import sockets_folder

HERE = Path(__file__).parent
DEADLINE = 20.0
CONTROL = "import time; time.sleep(1000)"


@dataclass
class Nest:
    folder: Path
    control: str = CONTROL
    supervisors: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("run", "logs"):
            (self.folder / name).mkdir(parents=True)
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            self.port: int = sock.getsockname()[1]
        (self.folder / "data.json").write_text(json.dumps({"gateway_port": self.port}))
        self.sockets = sockets_folder(self.folder)

    def spawn(self, **more: Any) -> subprocess.Popen[bytes]:
        """Start a supervisor, and do not wait for it."""
        words = [str(HERE / "supervise_with.py"), str(self.folder), self.control]
        with open(self.folder / "run" / "supervisor.log", "ab") as log:
            process = subprocess.Popen(
                [sys.executable, *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **more,
            )
        self.supervisors.append(process)
        return process

    def start(self) -> subprocess.Popen[bytes]:
        """Start a supervisor and wait until it answers, and its gateway too."""
        process = self.spawn()
        self.until(lambda: self.ask({"do": "ping"})["pid"] == process.pid)
        self.until(self.answers)
        return process

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        with self.line() as line:
            return talk(line, question)

    def line(self) -> socket.socket:
        wire = socket.socket(socket.AF_UNIX)
        wire.settimeout(DEADLINE)
        try:
            wire.connect(str(self.sockets / "supervisor.sock"))
        except OSError:
            wire.close()
            raise
        return wire

    def order(self, name: str, *words: str, **more: Any) -> dict[str, Any]:
        """Have a child started: `python -c words[0] words[1:]`."""
        question = {
            "do": "spawn",
            "id": name,
            "argv": [sys.executable, "-c", *words],
            "env": {"PATH": os.environ["PATH"]},
            "cwd": str(self.folder),
            "output": str(self.folder / f"{name}.output"),
            **more,
        }
        return self.ask(question)

    def sleeper(self, name: str = "r1") -> dict[str, Any]:
        """A child that runs until it is told to end."""
        started = self.order(name, "import time; print('up', flush=True); time.sleep(1000)")
        self.until(lambda: self.printed(name) == "up\n")
        return started

    def printed(self, name: str) -> str:
        return (self.folder / f"{name}.output").read_text()

    def wait(self, name: str, timeout: float = DEADLINE) -> dict[str, Any]:
        found: dict[str, Any] = self.ask({"do": "wait", "id": name, "timeout": timeout})["exit"]
        return found

    def children(self, what: str = "") -> dict[str, int]:
        """The pids of the children by id."""
        found = self.ask({"do": "children"})["children"]
        return {one["id"]: one["pid"] for one in found if what in ("", one["what"])}

    def answers(self) -> bool:
        """Whether a gateway answers HTTP."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE) as wire:
            wire.sendall(
                b"GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n" % self.port
            )
            return wire.recv(12) == b"HTTP/1.1 404"

    def exits(self) -> list[dict[str, Any]]:
        file = self.folder / "run" / "exits.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def log(self, name: str = "supervisor") -> str:
        return (self.folder / "run" / f"{name}.log").read_text()

    def processes(self) -> list[psutil.Process]:
        """Everything that runs in or for this folder."""
        return [one for one in psutil.process_iter() if self.is_ours(one)]

    def commands(self) -> list[str]:
        """Their command lines; one that ends in this moment has none."""
        return [command(one) for one in self.processes()]

    def is_ours(self, process: psutil.Process) -> bool:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            place = f"{process.cwd()} {' '.join(process.cmdline())}"
        except psutil.Error:
            return False
        return str(self.folder) in place

    def until(self, condition: Callable[[], Any], limit: float = DEADLINE) -> Any:
        """Wait for an event, with a deadline."""
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            try:
                if found := condition():
                    return found
            except (OSError, ValueError, KeyError):
                pass
            time.sleep(0.005)
        raise AssertionError(f"it did not happen within {limit} s:\n{self.log()}")

    def end(self) -> None:
        """Leave nothing, whatever the test did."""
        for process in self.processes():
            process.send_signal(signal.SIGKILL)
        for supervisor in self.supervisors:
            supervisor.kill()
            supervisor.wait()
        if self.sockets.exists():
            for path in self.sockets.iterdir():
                path.unlink()
            self.sockets.rmdir()


def talk(line: socket.socket, question: dict[str, Any]) -> dict[str, Any]:
    line.sendall(json.dumps(question).encode() + b"\n")
    answer: dict[str, Any] = json.loads(line.makefile("rb").readline())
    return answer


def command(process: psutil.Process) -> str:
    """The command line, "" of a process that has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""

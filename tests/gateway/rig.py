"""A gateway and workers as real processes in a folder of their own, and small HTTP helpers."""

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
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

from cellship.backend.supervise.sockets import sockets_folder

HERE = Path(__file__).parent
DEADLINE = 20.0
ROW = {"type": "array", "items": {"type": "number"}}
INPUT = {
    "type": "object",
    "properties": {"row": ROW, "do": {"type": "string"}, "seconds": {}, "size": {}},
    "additionalProperties": False,
}


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        code: str = self.json["error"]["code"]
        return code

    @property
    def message(self) -> str:
        message: str = self.json["error"]["message"]
        return message


@dataclass
class Rig:
    """`versions`, `traffic` and the like make up the table; `reload` puts it into effect."""

    folder: Path
    limits: dict[str, Any] = field(default_factory=dict)
    deployments: dict[str, Any] = field(default_factory=dict)
    generation: int = 0
    max_body: int = 100 * 1024 * 1024
    gateway: subprocess.Popen[bytes] | None = None
    workers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("run", "logs"):
            (self.folder / name).mkdir(parents=True)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self.listener.getsockname()[1]
        (self.folder / "data.json").write_text(json.dumps({"gateway_port": self.port}))
        self.sockets = sockets_folder(self.folder)
        self.write_table()

    # ---------------------------------------------------------------- table

    def deploy(
        self,
        name: str = "digits",
        version: int = 1,
        replicas: int = 1,
        *,
        input: dict[str, Any] | None = None,
        state: str = "ready",
        is_async: bool = False,
        methods: tuple[str, ...] = ("",),
        **settings: Any,
    ) -> list[str]:
        """A version with workers that run, alone in the traffic; ids of its replicas."""
        schema = self.folder / f"{name}-{version}.json"
        facts = {"doc": "Sum.\n\nOf a row.", "input": input or INPUT, "output": {}}
        facts |= {"async": is_async}
        schema.write_text(json.dumps({"format": 1, "methods": dict.fromkeys(methods, facts)}))
        examples = self.folder / f"{name}-{version}-examples.json"
        examples.write_text(json.dumps({"examples": [{"arguments": {"row": [1, 2]}}]}))
        ids = [f"{name}-{version}-{number}" for number in range(replicas)]
        entries = [{"id": one, "socket": str(self.work(one, name, version, state))} for one in ids]
        deployment = self.deployments.setdefault(
            name, {"access": "open", "paused": None, "no_answer": "Nobody.", "versions": {}}
        )
        deployment["traffic"] = {str(version): 100}
        deployment["versions"][str(version)] = {
            "schema": str(schema),
            "examples": str(examples),
            "replicas": entries,
            "concurrency": 1,
            "timeout": 60,
            "state": "ready",
            **settings,
        }
        return ids

    def work(self, replica: str, name: str, version: int, state: str = "ready") -> Path:
        """Start a worker; its socket."""
        path = self.sockets / f"{replica}.sock"
        path.unlink(missing_ok=True)
        words = [str(path), replica, f"digest-{version}", name, str(version), state]
        self.workers[replica] = self.spawn([str(HERE / "echo_worker.py"), *words])
        self.until(path.exists)
        return path

    def write_table(self) -> None:
        self.generation += 1
        hosts = [f"127.0.0.1:{self.port}", f"localhost:{self.port}"]
        table = {"format": 1, "generation": self.generation, "hosts": hosts}
        table |= {"max_body": self.max_body, "deployments": self.deployments}
        aside = self.folder / "run" / "routes.new"
        aside.write_text(json.dumps(table))
        os.replace(aside, self.folder / "run" / "routes.json")

    def reload(self) -> dict[str, Any]:
        self.write_table()
        return self.ask({"do": "reload"})

    # ------------------------------------------------------------- processes

    def start(self) -> None:
        """Start the gateway with the table as it is."""
        self.write_table()
        fd = self.listener.fileno()
        words = [str(HERE / "gateway_with.py"), str(self.folder), json.dumps(self.limits)]
        env = {**os.environ, "CELLSHIP_LISTEN_FD": str(fd)}
        self.gateway = self.spawn(words, env=env, pass_fds=(fd,))
        pid = self.gateway.pid
        self.until(lambda: self.ask({"do": "ping"})["pid"] == pid)

    def spawn(self, words: list[str], **more: Any) -> subprocess.Popen[bytes]:
        with open(self.folder / "output", "ab") as output:
            return subprocess.Popen(
                [sys.executable, *words],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                **more,
            )

    def kill(self, replica: str) -> None:
        self.workers[replica].send_signal(signal.SIGKILL)
        self.workers[replica].wait()

    def stop(self) -> None:
        processes = [*self.workers.values(), *([self.gateway] if self.gateway else [])]
        for process in processes:
            process.send_signal(signal.SIGKILL)
            process.wait()
        self.listener.close()
        for path in self.sockets.iterdir():
            path.unlink()
        self.sockets.rmdir()

    def output(self) -> str:
        return (self.folder / "output").read_text()

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        with socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(DEADLINE)
            wire.connect(str(self.sockets / "gateway.sock"))
            wire.sendall(json.dumps(question).encode() + b"\n")
            answer: dict[str, Any] = json.loads(wire.makefile("rb").readline())
            return answer

    def until(self, condition: Callable[[], Any], limit: float = DEADLINE) -> Any:
        """Wait for an event, with a deadline."""
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            try:
                if found := condition():
                    return found
            except (OSError, ValueError):
                pass
            time.sleep(0.005)
        raise AssertionError(f"it did not happen within {limit} s; output:\n{self.output()}")

    # ------------------------------------------------------------------ HTTP

    def call(self, path: str = "/digits", /, **arguments: Any) -> Answer:
        return self.request("POST", path, json.dumps(arguments).encode())

    def request(
        self, verb: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        try:
            connection.request(verb, path, body, headers or {})
            return read(connection.getresponse())
        finally:
            connection.close()

    def connect(self) -> socket.socket:
        wire = socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE)
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return wire

    def head(self, path: str = "/digits", *lines: str, verb: str = "POST") -> bytes:
        """The head of a request; `lines` are more headers."""
        whole = [f"{verb} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", *lines, "", ""]
        return "\r\n".join(whole).encode()

    def post(self, body: bytes = b"{}", path: str = "/digits", *lines: str) -> bytes:
        """A whole request."""
        return self.head(path, f"Content-Length: {len(body)}", *lines) + body

    def raw(self, sent: bytes, answers: int = 1) -> list[Answer]:
        """What comes back for some bytes, on a connection of its own."""
        with self.connect() as wire:
            wire.sendall(sent)
            return answers_of(wire, answers)

    def log(self) -> list[dict[str, Any]]:
        """The lines of the access log."""
        files = sorted(
            (self.folder / "logs" / "gateway").glob("*.log"), key=lambda one: int(one.stem)
        )
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def read(response: HTTPResponse) -> Answer:
    return Answer(response.status, dict(response.getheaders()), response.read())


def answers_of(wire: socket.socket, most: int = 1000) -> list[Answer]:
    """The answers on a connection, until there are so many or it ends."""
    found: list[Answer] = []
    reader = wire.makefile("rb")
    while len(found) < most and (line := reader.readline()):
        status = int(line.split()[1])
        headers: dict[str, str] = {}
        while (line := reader.readline().strip()) != b"":
            name, _, value = line.decode().partition(":")
            headers[name] = value.strip()
        body = reader.read(int(headers.get("Content-Length", 0)))
        if status != 100:
            found.append(Answer(status, headers, body))
    return found

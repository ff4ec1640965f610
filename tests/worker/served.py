"""A worker that serves a snapshot written by hand, as a real process, and clients of its socket."""

from __future__ import annotations

import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cellship.backend import worker
from cellship.backend.control.logs import LogLine, Source, read
from cellship.backend.worker.frames import Kind, Parser, call_payload, frame

LIMIT = 20.0
FOLDER = Path(worker.__file__).parent


def pythons() -> list[str]:
    """The oldest and the newest Python that workers run on, of those on this machine, and ours."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = {}
    for minor in ("3.8", "3.13", "3.14"):
        built = sorted(root.glob(f"versions/{minor}.*/bin/python{minor}"))
        found[minor] = str(built[-1]) if built else shutil.which(f"python{minor}")
    return [sys.executable, *filter(None, map(runs, filter(None, found.values())))]


def runs(python: str) -> str | None:
    """None for a shim that stands for nothing."""
    done = subprocess.run([python, "-c", ""], capture_output=True, check=False)
    return None if done.returncode else python


@dataclass
class Heard:
    """One frame from the worker."""

    kind: Kind
    flags: int
    stream: int
    payload: bytes

    @property
    def value(self) -> Any:
        return json.loads(self.payload)

    @property
    def error(self) -> dict[str, Any]:
        assert self.kind == Kind.FAIL, self
        found: dict[str, Any] = self.value["error"]
        return found


class Client:
    """One connection; frames are heard in order."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(LIMIT)
        try:
            self.socket.connect(str(path))
        except OSError:
            self.socket.close()
            raise
        self.stream = 0
        self._parser = Parser()
        self._heard: list[Heard] = []

    def hear(self) -> Heard:
        """The next frame. Raises EOFError when the worker closed the connection."""
        while not self._heard:
            data = self.socket.recv(1 << 18)
            if not data:
                raise EOFError
            self._heard = [Heard(Kind(kind), *rest) for kind, *rest in self._parser.feed(data)]
        return self._heard.pop(0)

    def send(self, kind: Kind, stream: int = 0, payload: bytes = b"") -> None:
        self.socket.sendall(frame(kind, stream, payload))

    def start(
        self, body: Any = None, *, method: str = "", request_id: str = "r-1", **names: Any
    ) -> int:
        """Send a CALL with these keyword arguments, or with a raw body; its stream."""
        self.stream += 1
        raw = body if isinstance(body, bytes) else json.dumps(names).encode()
        self.send(Kind.CALL, self.stream, call_payload(method, request_id, raw))
        return self.stream

    def call(self, body: Any = None, **more: Any) -> Heard:
        """The answer to a call, when it is the next on its stream."""
        stream = self.start(body, **more)
        while (heard := self.hear()).stream != stream:
            pass
        return heard

    def ended(self) -> bool:
        """Wait for the worker to close the connection."""
        with suppress(EOFError, ConnectionError):
            while True:
                self.hear()
        return True

    def silent(self, seconds: float) -> bool:
        """Whether nothing comes for so long."""
        return not self._heard and not select.select([self.socket], [], [], seconds)[0]


@dataclass
class Replica:
    """A worker process and its folders."""

    folder: Path
    process: subprocess.Popen[bytes]
    socket: Path
    clients: list[Client] = field(default_factory=list)

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    def connect(self) -> Client:
        deadline = time.monotonic() + LIMIT
        while True:
            try:
                client = Client(self.socket)
                break
            except OSError:
                assert time.monotonic() < deadline and self.process.poll() is None, self.said()
                select.select([], [], [], 0.005)
        self.clients.append(client)
        return client

    def ready(self) -> Client:
        """A connection that heard HELLO, to a worker that has loaded."""
        client = self.connect()
        hello = client.hear()
        assert hello.kind == Kind.HELLO
        if hello.value["state"] == "starting":
            heard = client.hear()
            assert heard.kind == Kind.READY, (heard, self.said())
        return client

    def lines(self, ended: bool = False) -> list[LogLine]:
        page = read([Source("r1", 1, self.logs, ended)], after="", limit=10**9)
        return list(page.lines)

    def texts(self) -> list[str]:
        return [line.text for line in self.lines()]

    def said(self) -> str:
        return "\n".join(self.texts())

    def end(self) -> None:
        for client in self.clients:
            client.socket.close()
        self.process.kill()
        self.process.wait(LIMIT)


class Workshop:
    """Starts workers; `close` ends them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # a socket's path may have 107 characters, and a test's own folder has more
        self._sockets = Path(tempfile.mkdtemp(prefix="cs-"))
        self._replicas: list[Replica] = []

    def start(
        self,
        source: str,
        *,
        entry: str = "f",
        python: str = sys.executable,
        settings: dict[str, Any] | None = None,
    ) -> Replica:
        folder = self._folder / f"replica{len(self._replicas)}"
        snapshot = write_snapshot(folder / "snapshot", source, entry)
        sock = self._sockets / f"{len(self._replicas)}.sock"
        job = {
            **{name: str(folder / name) for name in ("work", "home", "tmp", "logs")},
            "snapshot": str(snapshot),
            "env": {},
            "replica": "r1",
            "deployment": "digits",
            "version": 2,
            "digest": "d" * 64,
            "socket": str(sock),
            "settings": settings or {},
        }
        process = subprocess.Popen(
            [python, "-I", str(self._build()), "serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps(job).encode() + b"\n")
        process.stdin.close()
        replica = Replica(folder, process, sock)
        self._replicas.append(replica)
        return replica

    def close(self) -> None:
        for replica in self._replicas:
            replica.end()
        shutil.rmtree(self._sockets)

    def _build(self) -> Path:
        """The worker folder as it is copied into a data folder."""
        build = self._folder / "build" / "_cellship"
        if not build.exists():
            shutil.copytree(FOLDER, build, ignore=shutil.ignore_patterns("__pycache__"))
        return build


def write_snapshot(folder: Path, source: str, entry: str) -> Path:
    """A snapshot without values."""
    (folder / "values").mkdir(parents=True)
    (folder / "source.py").write_text(source)
    (folder / "snapshot.json").write_text(json.dumps({"format": 1, "entry": entry}))
    manifest = {"values": [], "buffers": {}, "order": []}
    (folder / "values" / "manifest.json").write_text(json.dumps(manifest))
    return folder


def until(condition: Any, what: str, limit: float = LIMIT) -> None:
    """Wait until a condition that another process makes true holds."""
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, f"not in {limit} s: {what}"
        select.select([], [], [], 0.01)


def workshop(tmp_path: Path) -> Iterator[Workshop]:
    made = Workshop(tmp_path)
    yield made
    made.close()

"""A closed loop of connections against one endpoint, in a process of its own.

    python -m benchmarks.load URL BODY --connections 8 [--no-keep-alive]

Prints `ready`, runs until its standard input closes, then prints one JSON object per connection:
{"answers": [[start, end, status, version], …], "failures": {"reset": 0, …}}. Times are of the
monotonic clock, which all processes of a machine share.
"""

from __future__ import annotations

import argparse
import json
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

LIMIT = 30.0


@dataclass(frozen=True)
class Answer:
    start: float
    end: float
    status: int
    version: str


@dataclass
class Load:
    """What the load saw; filled when the block ends."""

    answers: list[Answer] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)

    @property
    def requests(self) -> int:
        return len(self.answers) + self.failures.total()

    @property
    def slowest(self) -> float:
        return max((answer.end - answer.start for answer in self.answers), default=0.0)

    @property
    def failed(self) -> int:
        return self.failures.total() + sum(answer.status != 200 for answer in self.answers)

    @property
    def told(self) -> str:
        """What was answered and what went wrong, for a message."""
        statuses = Counter(answer.status for answer in self.answers)
        return f"answers {dict(statuses)}, failures {dict(self.failures)}"

    def last_answer_of(self, version: str) -> float:
        return max(answer.end for answer in self.answers if answer.version == version)


@contextmanager
def load(url: str, body: str, connections: int = 8, keep_alive: bool = True) -> Iterator[Load]:
    """Load on `url` for the time of the block."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.load",
        url,
        body,
        "--connections",
        str(connections),
    ]
    command += [] if keep_alive else ["--no-keep-alive"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    seen = Load()
    try:
        process.stdout.readline()
        yield seen
        output, _ = process.communicate(timeout=60)
    except BaseException:
        process.kill()
        process.wait()
        raise
    for line in output.splitlines():
        thread = json.loads(line)
        seen.answers += [Answer(*answer) for answer in thread["answers"]]
        seen.failures.update(thread["failures"])


class Connection(threading.Thread):
    """One connection's loop."""

    def __init__(self, url: str, body: str, keep_alive: bool, stop: threading.Event) -> None:
        super().__init__()
        parts = urlsplit(url)
        self.address = (parts.hostname or "", parts.port or 80)
        self.keep_alive, self.stop = keep_alive, stop
        self.request = request(parts.netloc, parts.path, body.encode(), keep_alive)
        self.answers: list[tuple[float, float, int, str]] = []
        self.failures: Counter[str] = Counter()
        self.wire: socket.socket | None = None

    def run(self) -> None:
        while not self.stop.is_set():
            self.ask()
        self.close()

    def ask(self) -> None:
        start = time.monotonic()
        try:
            self.wire = self.wire or connect(self.address)
            self.wire.sendall(self.request)
            status, version, closes = read_answer(self.wire)
        except (OSError, EOFError) as error:
            self.failures[kind(error)] += 1
            self.close()
            return
        self.answers.append((start, time.monotonic(), status, version))
        if closes or not self.keep_alive:
            self.close()

    def close(self) -> None:
        if self.wire is not None:
            self.wire.close()
            self.wire = None


def request(host: str, path: str, body: bytes, keep_alive: bool) -> bytes:
    connection = "keep-alive" if keep_alive else "close"
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", f"Connection: {connection}"]
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def connect(address: tuple[str, int]) -> socket.socket:
    wire = socket.create_connection(address, timeout=LIMIT)
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return wire


def read_answer(wire: socket.socket) -> tuple[int, str, bool]:
    """Status, version and whether the server closes; raises EOFError if it ends half-way."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += more(wire)
    head, _, body = received.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    missing = int(headers.get("content-length", 0)) - len(body)
    while missing > 0:
        missing -= len(more(wire))
    return (
        int(status.split()[1]),
        headers.get("cellship-version", ""),
        headers.get("connection") == "close",
    )


def more(wire: socket.socket) -> bytes:
    received = wire.recv(65536)
    if not received:
        raise EOFError("closed")
    return received


def kind(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    return "time-out" if isinstance(error, TimeoutError) else "reset"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("body")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--keep-alive", action=argparse.BooleanOptionalAction, default=True)
    options = parser.parse_args()
    stop = threading.Event()
    running = [
        Connection(options.url, options.body, options.keep_alive, stop)
        for _ in range(options.connections)
    ]
    for each in running:
        each.start()
    print("ready", flush=True)
    sys.stdin.read()
    stop.set()
    for each in running:
        each.join()
        print(json.dumps({"answers": each.answers, "failures": each.failures}))


if __name__ == "__main__":
    main()

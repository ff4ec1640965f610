"""`gateway-b`: one JSON row of 64 floats in, its sum out; our gateway and worker against FastAPI.

Both run at the same time and are asked in turn, window by window, by one thread of wrk at 1, 8 and
64 connections. Ours validates, counts and logs each call; FastAPI validates and logs nothing.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.rows import Row, median, row, spread

ROOT = Path(__file__).resolve().parent.parent
CONNECTIONS = (1, 8, 64)
WINDOWS = 5
SECONDS = 3
WARM_UP = 1
SOURCE = '''\
def total(row: list[float]) -> float:
    """The sum of a row."""
    return sum(row)
'''
SCHEMA = {
    "format": 1,
    "methods": {
        "": {
            "doc": "The sum of a row.",
            "input": {
                "type": "object",
                "properties": {"row": {"type": "array", "items": {"type": "number"}}},
                "required": ["row"],
                "additionalProperties": False,
            },
            "output": {"type": "number"},
            "parameters": [{"name": "row", "required": True}],
            "async": False,
        }
    },
}


@dataclass(frozen=True)
class Side:
    """One of the two: where it is asked, and its processes."""

    name: str
    url: str
    processes: Sequence[psutil.Process]

    def cpu(self) -> float:
        """Seconds that its processes have worked."""
        return sum(sum(process.cpu_times()[:2]) for process in self.processes)

    def memory(self) -> float:
        """MiB; what processes share is divided among them."""
        return sum(process.memory_full_info().pss for process in self.processes) / 2**20


def measure() -> list[Row]:
    """One row: requests per second over FastAPI's, at 1, 8 and 64 connections."""
    if shutil.which("wrk") is None:
        raise SystemExit("gateway-b needs wrk: apt-get install wrk")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cellship-bench-")))
        body = folder / "body.json"
        body.write_text(json.dumps({"row": [round(random.uniform(0, 16), 3) for _ in range(64)]}))
        script = folder / "post.lua"
        script.write_text(SCRIPT)
        ours = stack.enter_context(cellship(folder))
        theirs = stack.enter_context(fastapi())
        found = [compare(ours, theirs, connections, body, script) for connections in CONNECTIONS]
        memory = f"PSS {ours.memory():.0f} MiB (gateway and worker) against {theirs.memory():.0f}"
    ratios = [each.ratios for each in found]
    said = "; ".join(each.words() for each in found)
    how = f"{said}; {memory}; {WINDOWS} windows of {SECONDS} s each"
    return [
        row(
            "gateway-b",
            [median(each) for each in ratios],
            "times",
            WINDOWS,
            [spread(each) for each in ratios],
            how,
        )
    ]


@dataclass
class Comparison:
    """The windows at one number of connections."""

    connections: int
    ours: list[float]
    theirs: list[float]
    our_cpu: list[float]  # microseconds per request
    their_cpu: list[float]

    @property
    def ratios(self) -> list[float]:
        """Of neighbouring windows, so that a machine that slows down slows both."""
        return [mine / other for mine, other in zip(self.ours, self.theirs, strict=True)]

    def words(self) -> str:
        return (
            f"{self.connections} connections: {median(self.ours):,.0f}/s against "
            f"{median(self.theirs):,.0f}/s, CPU {median(self.our_cpu):.0f} against "
            f"{median(self.their_cpu):.0f} us a request"
        )


def compare(ours: Side, theirs: Side, connections: int, body: Path, script: Path) -> Comparison:
    found = Comparison(connections, [], [], [], [])
    for side in (ours, theirs):
        window(side, connections, body, script, WARM_UP)
    for _ in range(WINDOWS):
        for side, rates, cpu in (
            (ours, found.ours, found.our_cpu),
            (theirs, found.theirs, found.their_cpu),
        ):
            before = side.cpu()
            rate, requests = window(side, connections, body, script, SECONDS)
            rates.append(rate)
            cpu.append((side.cpu() - before) / requests * 1e6)
    return found


def window(
    side: Side, connections: int, body: Path, script: Path, seconds: int
) -> tuple[float, int]:
    """(requests per second, requests); every request must have been answered with 200."""
    done = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), side.url],
        env={**os.environ, "BODY_FILE": str(body)},
        capture_output=True,
        text=True,
        check=True,
    )
    line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))
    requests, microseconds, errors = map(int, line.split()[1:])
    if errors or not requests:
        raise SystemExit(f"gateway-b: {errors} of {requests} requests to {side.name} failed")
    return requests / microseconds * 1e6, requests


@contextmanager
def cellship(folder: Path) -> Iterator[Side]:
    """A gateway and a worker, as the service starts them."""
    port = free_port()
    data, snapshot = folder / "data", folder / "snapshot"
    write_snapshot(snapshot)
    write_data(data, snapshot, port, folder / "worker.sock")
    with process(worker_line(), folder, stdin=worker_job(folder, snapshot)) as worker:
        wait_for(lambda: (folder / "worker.sock").exists())
        line = [sys.executable, "-m", "cellship.backend.gateway", str(data)]
        with process(line, folder) as gateway:
            url = f"http://127.0.0.1:{port}/total"
            wait_for(lambda: answers(port))
            yield Side("Cellship", url, (gateway, worker))


@contextmanager
def fastapi() -> Iterator[Side]:
    port = free_port()
    line = [sys.executable, "-m", "uvicorn", "benchmarks.fastapi_sum:app", "--port", str(port)]
    line += ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    with process(line, ROOT) as server:
        wait_for(lambda: answers(port))
        yield Side("FastAPI", f"http://127.0.0.1:{port}/total", (server,))


def write_snapshot(folder: Path) -> None:
    (folder / "values").mkdir(parents=True)
    (folder / "source.py").write_text(SOURCE)
    (folder / "snapshot.json").write_text(json.dumps({"format": 1, "entry": "total"}))
    (folder / "schema.json").write_text(json.dumps(SCHEMA))
    manifest: dict[str, Any] = {"values": [], "buffers": {}, "order": []}
    (folder / "values" / "manifest.json").write_text(json.dumps(manifest))


def write_data(data: Path, snapshot: Path, port: int, worker: Path) -> None:
    (data / "run").mkdir(parents=True)
    (data / "data.json").write_text(json.dumps({"format": 1, "gateway_port": port}))
    version = {
        "schema": str(snapshot / "schema.json"),
        "examples": str(snapshot / "examples.json"),
        "replicas": [{"id": "bench", "socket": str(worker)}],
        "concurrency": 1,
        "timeout": 60,
    }
    total = {"access": "open", "traffic": {"1": 100}, "versions": {"1": version}}
    table = {"format": 1, "generation": 1, "hosts": [f"127.0.0.1:{port}"]}
    (data / "run" / "routes.json").write_text(
        json.dumps({**table, "deployments": {"total": total}})
    )


def worker_line() -> list[str]:
    return [sys.executable, "-I", str(ROOT / "backend" / "worker"), "serve"]


def worker_job(folder: Path, snapshot: Path) -> str:
    job = {
        "snapshot": str(snapshot),
        "work": str(folder / "work"),
        "home": str(folder / "home"),
        "tmp": str(folder / "tmp"),
        "replica": "bench",
        "deployment": "total",
        "version": 1,
        "digest": "bench",
        "socket": str(folder / "worker.sock"),
        "logs": str(folder / "logs"),
        "settings": {"concurrency": 1},
    }
    return json.dumps(job) + "\n"


@contextmanager
def process(line: list[str], cwd: Path, stdin: str = "") -> Iterator[psutil.Process]:
    """A process for the time of the block; what it prints is shown if it ends too early."""
    started = psutil.Popen(
        line, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    try:
        started.stdin.write(stdin)
        started.stdin.close()
        yield started
    finally:
        started.terminate()
        try:
            started.wait(10)
        except psutil.TimeoutExpired:
            started.kill()
            started.wait()


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def wait_for(condition: Any, limit: float = 30.0) -> None:
    deadline = time.monotonic() + limit
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit("gateway-b: a server did not start")
        time.sleep(0.01)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


SCRIPT = """\
local file = assert(io.open(os.getenv("BODY_FILE"), "rb"))
wrk.method = "POST"
wrk.body = file:read("*a")
file:close()
wrk.headers["Content-Type"] = "application/json"
function done(summary, latency, requests)
  local e = summary.errors
  local failed = e.connect + e.read + e.write + e.status + e.timeout
  io.write(string.format("RESULT %d %d %d\\n", summary.requests, summary.duration, failed))
end
"""


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))

"""What is asked again while the control plane restarts, and what is not."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from cellship.backend import client_wire
from cellship.backend.client_wire import Wire
from cellship.backend.locate import Connection
from cellship.snapshot.errors import NoBackend


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"path": self.path}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def served(port: int = 0) -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", port), Answers)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def asked_once() -> tuple[Wire, int]:
    """A wire whose service answered, and is away now."""
    with served() as port:
        wire = Wire(Connection(f"http://127.0.0.1:{port}", "", "token"))
        wire.ask("GET", "/status")
    return wire, port


def test_a_step_of_a_deploy_waits_for_the_service_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wire, port = asked_once()
    tried = threading.Event()
    monkeypatch.setattr(client_wire.time, "sleep", lambda _: tried.set())
    found: list[object] = []
    asking = threading.Thread(
        target=lambda: found.append(wire.ask("POST", "/leases", {}, ships=True))
    )
    asking.start()
    assert tried.wait(10)  # it was refused once and asks again
    with served(port):
        asking.join(10)
    assert found == [{"path": "/api/v1/leases"}]


def test_a_rollback_is_never_asked_twice() -> None:
    wire, _ = asked_once()
    with pytest.raises(NoBackend):
        wire.ask("POST", "/deployments/digits/rollback", {})


def test_a_service_that_never_answered_is_said_to_be_away_at_once() -> None:
    _, port = asked_once()
    wire = Wire(Connection(f"http://127.0.0.1:{port}", "", "token"))
    with pytest.raises(NoBackend) as error:
        wire.ask("GET", "/status")
    assert error.value.code == "backend.no-answer"


def test_patience_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_wire, "AWAY_FOR", 0.3)
    wire, _ = asked_once()
    with pytest.raises(NoBackend):
        wire.ask("GET", "/status")

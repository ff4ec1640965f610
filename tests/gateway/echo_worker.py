"""A worker that speaks frames and runs no snapshot: answers with the sum of `row`, or does as told.

    python echo_worker.py SOCKET REPLICA DIGEST DEPLOYMENT VERSION [ready | starting]

A body may have `do`; `answer` lists what it understands. With `starting` it becomes ready when it
gets SIGUSR1.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from cellship.backend.worker.frames import LOSSY, PROTOCOL, Kind, Parser, frame, parse_call

ready = threading.Event()


def main() -> None:
    path, replica, digest, deployment, version, state = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    signal.signal(signal.SIGUSR1, lambda *_: ready.set())
    if state == "ready":
        ready.set()
    hello = {
        "protocol": PROTOCOL,
        "replica": replica,
        "snapshot": digest,
        "deployment": deployment,
        "version": int(version),
        "pid": os.getpid(),
        "started": time.time(),
    }
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(16)
    while True:
        wire, _ = listener.accept()
        threading.Thread(target=talk, args=(wire, hello), daemon=True).start()


def talk(wire: socket.socket, hello: dict[str, Any]) -> None:
    try:
        state = "ready" if ready.is_set() else "starting"
        wire.sendall(frame(Kind.HELLO, 0, json.dumps({**hello, "state": state}).encode()))
        if state == "starting":
            ready.wait()
            wire.sendall(frame(Kind.READY, 0, b'{"seconds": 1}'))
        parser = Parser()
        while data := wire.recv(1 << 18):
            frames = parser.feed(data)
            calls = [(stream, payload) for kind, _, stream, payload in frames if kind == Kind.CALL]
            wire.sendall(b"".join(answer(*call, hello) for call in calls))
    except ConnectionError:
        pass


def answer(stream: int, payload: bytes, hello: dict[str, Any]) -> bytes:
    method, request_id, body = parse_call(payload)
    facts = json.loads(body)

    def say(value: Any, flags: int = 0) -> bytes:
        return frame(Kind.ANSWER, stream, json.dumps(value).encode(), flags)

    def fail(code: str, status: int) -> bytes:
        error = {"code": code, "message": "It went wrong.", "hint": "", "details": []}
        return frame(Kind.FAIL, stream, json.dumps({"status": status, "error": error}).encode())

    def sleep() -> bytes:
        time.sleep(facts["seconds"])
        return say("slept")

    def die() -> bytes:
        os.kill(os.getpid(), signal.SIGKILL)
        return b""

    verbs: dict[str | None, Callable[[], bytes]] = {
        None: lambda: say(sum(facts.get("row", ()))),
        "sleep": sleep,
        "die": die,
        "who": lambda: say({"replica": hello["replica"], "version": hello["version"]}),
        "call": lambda: say({"method": method, "request_id": request_id, "body": facts}),
        "lossy": lambda: say(None, LOSSY),
        "raise": lambda: fail("entry.raised", 500),
        "stopping": lambda: fail("replica.stopping", 503) if hello["version"] == 1 else say(2),
        "garbage": lambda: b"\xff" * 64,
        "big": lambda: say("x" * facts["size"]),
    }
    return verbs[facts.get("do")]()


if __name__ == "__main__":
    main()

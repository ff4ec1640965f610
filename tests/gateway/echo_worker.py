"""A worker that speaks frames and runs no snapshot: answers with the sum of `row`, or does as told.

`python echo_worker.py SOCKET REPLICA DIGEST DEPLOYMENT VERSION [ready|slow-start]`. A body may have
`do`: "sleep" (with `seconds`), "die", "fail", "lossy", "hang", "garbage", "big", "stopping".
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
import time
from typing import Any

from cellship.backend.worker.frames import LOSSY, PROTOCOL, Kind, Parser, frame, parse_call


def main() -> None:
    path, replica, digest, deployment, version, mode = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    hello = {
        "protocol": PROTOCOL,
        "replica": replica,
        "snapshot": digest,
        "deployment": deployment,
        "version": int(version),
        "state": "ready" if mode == "ready" else "starting",
        "pid": os.getpid(),
        "started": time.time(),
    }
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(16)
    while True:
        wire, _ = listener.accept()
        serve = threading.Thread(target=talk, args=(wire, hello, int(version)), daemon=True)
        serve.start()


def talk(wire: socket.socket, hello: dict[str, Any], version: int) -> None:
    wire.sendall(frame(Kind.HELLO, 0, json.dumps(hello).encode()))
    if hello["state"] == "starting":
        wire.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) if False else time.sleep(0.3)
        wire.sendall(frame(Kind.READY, 0, b'{"seconds": 0.3}'))
    parser = Parser()
    while data := wire.recv(1 << 18):
        out = b"".join(
            answer(stream, payload, version)
            for kind, _, stream, payload in parser.feed(data)
            if kind == Kind.CALL
        )
        wire.sendall(out)


def answer(stream: int, payload: bytes, version: int) -> bytes:
    _, _, body = parse_call(payload)
    facts = json.loads(body)
    do = facts.get("do") if isinstance(facts, dict) else None
    if do is None:
        return frame(Kind.ANSWER, stream, json.dumps(sum(facts.get("row", ()))).encode())
    if do == "sleep":
        time.sleep(facts["seconds"])
        return frame(Kind.ANSWER, stream, b'"slept"')
    if do == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if do == "lossy":
        return frame(Kind.ANSWER, stream, b"null", LOSSY)
    if do == "stopping" and version == 1:
        error = {"code": "replica.stopping", "message": "This replica stops.", "hint": ""}
        return frame(Kind.FAIL, stream, json.dumps({"status": 503, "error": error}).encode())
    if do == "garbage":
        return b"\xff" * 64
    if do == "big":
        return frame(Kind.ANSWER, stream, b'"' + b"x" * facts["size"] + b'"')
    if do == "version":
        return frame(Kind.ANSWER, stream, json.dumps(version).encode())
    error = {"code": "entry.raised", "message": "it raised ValueError.", "hint": "", "details": []}
    return frame(Kind.FAIL, stream, json.dumps({"status": 500, "error": error}).encode())


if __name__ == "__main__":
    main()

"""A small real HTTP server that speaks the API's contract and keeps its state in memory."""

from __future__ import annotations

import json
import re
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

TOKEN = "a-token-of-the-test"
NOW = "2026-01-02T03:04:05Z"


class Problem(Exception):
    def __init__(
        self, status: int, code: str, message: str, hint: str = "", details: Any = ()
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"code": code, "message": message, "hint": hint, "details": list(details)}
        self.error["request_id"] = "req-1"


@dataclass
class FakeService:
    """`folder` is where leases lie. What a test wants to go wrong is set on the object."""

    folder: Path
    deployments: dict[str, dict[str, Any]] = field(default_factory=dict)
    versions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    leases: dict[str, Path] = field(default_factory=dict)
    stored: set[str] = field(default_factory=set)
    seen: list[tuple[str, str, Any]] = field(default_factory=list)
    report: dict[str, Any] = field(default_factory=lambda: {"ok": True, "bytes_moved": 0})
    start_failure: dict[str, Any] | None = None
    start_questions: int = 0  # how often a version answers "starting" first
    admit_hook: Callable[[], None] | None = None
    admit_problem: Problem | None = None
    logs: list[dict[str, Any]] = field(default_factory=list)
    counts: list[list[Any]] = field(default_factory=list)
    clock: float = 1000.0
    protocol: int = 1
    answer: Any = 2
    evaluated: dict[str, Any] = field(
        default_factory=lambda: {"ok": True, "repr": "2", "output": ""}
    )
    arrived: threading.Event = field(default_factory=threading.Event)  # an admit began
    address: str = ""

    # what is asked

    def route(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        for wanted, pattern, handler in ROUTES:
            if wanted == method and (found := re.fullmatch(pattern, path)):
                return handler(self, *found.groups(), query=query, body=body)
        raise Problem(404, "api.no-such-route", "Not Found")

    def status(self, query: Any, body: Any) -> tuple[int, Any]:
        return 200, {
            "version": "0.1.0",
            "protocol": self.protocol,
            "data": str(self.folder),
            "gateway": self.address,
            "address": self.address,
            "started": NOW,
            "deployments": len(self.deployments),
            "disk_free": 5 * 1024**3,
            "isolation": "isolated packages; not a security boundary",
        }

    def open_lease(self, query: Any, body: Any) -> tuple[int, Any]:
        newest = (self.versions.get(body["name"]) or [None])[-1]
        if newest and newest["digest"] == body["digest"]:
            url = self.deployments[body["name"]]["url"]
            same = {"version": newest["version"], "url": url, "marked_bad": newest["bad"]}
            return 200, {"same": same, "lease": None}
        name = f"lease-{len(self.seen)}"
        self.leases[name] = self.folder / name
        self.leases[name].mkdir()
        missing = {
            "blobs": [one["digest"] for one in body["blobs"] if one["digest"] not in self.stored],
            "trees": [one for one in body["trees"] if one not in self.stored],
        }
        return 201, {
            "same": None,
            "lease": name,
            "folder": str(self.leases[name]),
            "missing": missing,
        }

    def admit(self, lease: str, query: Any, body: Any) -> tuple[int, Any]:
        self.arrived.set()
        if self.admit_hook:
            self.admit_hook()
        if self.admit_problem:
            raise self.admit_problem
        folder = self.leases[lease]
        assert (folder / "snapshot").is_dir() and (folder / "admit").is_dir()
        pieces = [*(folder / "blobs").iterdir(), *(folder / "trees").iterdir()]
        self.stored |= {piece.name for piece in pieces}
        moved = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        return 200, self.report | {"bytes_moved": moved}

    def commit(self, lease: str, query: Any, body: Any) -> tuple[int, Any]:
        shutil.rmtree(self.leases.pop(lease))
        return 201, self.add_version(body["name"], body["digest"], body)

    def add_version(
        self, name: str, digest: str, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        body = body or {}
        mine = self.versions.setdefault(name, [])
        before = self.deployments.get(name, {}).get("live")
        number = len(mine) + 1
        candidate = bool(body.get("candidate"))
        state = "starting" if self.start_questions else self.state_after(candidate, body)
        mine.append(
            {
                "name": name,
                "version": number,
                "digest": digest,
                "state": state,
                "share": 0,
                "created": NOW,
                "author": body.get("author", "ann"),
                "message": body.get("message", ""),
                "bytes_moved": body.get("bytes_moved", 0),
                "notebook": body.get("notebook") or None,
                "cell": body.get("cell"),
                "candidate": candidate,
                "bad": None,
                "entry": "predict",
                "failure": self.start_failure,
                "asked": 0,
            }
        )
        found = self.deployments.setdefault(name, self.new_deployment(name))
        found["latest"] = number
        if not candidate and self.start_failure is None:
            self.point(name, {number: 100})
        return {
            "name": name,
            "version": number,
            "digest": digest,
            "created": True,
            "candidate": candidate,
            "hold": None,
            "url": found["url"],
            "previous": int(before.split("@")[1]) if before else None,
        }

    def state_after(self, candidate: bool, body: dict[str, Any]) -> str:
        if self.start_failure is not None:
            return "failed"
        return "stopped" if body.get("replicas") == 0 else "candidate" if candidate else "ready"

    def new_deployment(self, name: str) -> dict[str, Any]:
        return {
            "name": name,
            "url": f"{self.address}/{name}",
            "state": "ready",
            "traffic": {},
            "latest": 0,
            "live": None,
            "updated": NOW,
            "paused": None,
            "hold": None,
        }

    def point(self, name: str, traffic: dict[int, int]) -> None:
        found = self.deployments[name]
        found["traffic"] = {str(version): share for version, share in traffic.items()}
        found["live"] = f"{name}@{max(traffic, key=lambda version: traffic[version])}"
        for version in self.versions[name]:
            version["share"] = traffic.get(version["version"], 0)
            if version["state"] in ("ready", "warm"):
                version["state"] = "ready" if version["share"] else "warm"

    def list_deployments(self, query: Any, body: Any) -> tuple[int, Any]:
        return 200, list(self.deployments.values())

    def deployment(self, name: str, query: Any, body: Any) -> tuple[int, Any]:
        if name not in self.deployments:
            near = f"Did you mean {next(iter(self.deployments))}?" if self.deployments else ""
            raise Problem(404, "deployment.unknown", f"There is no deployment {name}.", near)
        return 200, self.deployments[name]

    def list_versions(self, name: str, query: Any, body: Any) -> tuple[int, Any]:
        self.deployment(name, query, body)
        return 200, self.versions[name]

    def version(self, name: str, which: str, query: Any, body: Any) -> tuple[int, Any]:
        self.deployment(name, query, body)
        found = self.versions[name][self.number(name, which) - 1]
        found["asked"] += 1
        if found["state"] == "starting" and found["asked"] > self.start_questions:
            found["state"] = "failed" if self.start_failure else "ready"
        return 200, found

    def number(self, name: str, which: str) -> int:
        live = int(self.deployments[name]["live"].split("@")[1])
        which = which.rpartition("v")[2] if which[:1] == "v" else which
        words = {"live": live, "latest": len(self.versions[name]), "previous": live - 1}
        number = words.get(which) or int(which)
        if not 0 < number <= len(self.versions[name]):
            raise Problem(404, "version.unknown", f"There is no {name}@{number}.")
        return number

    def move(self, name: str, verb: str, query: Any, body: Any) -> tuple[int, Any]:
        self.deployment(name, query, body)
        live = self.number(name, "live")
        if verb == "rollback" and live == 1 and not body["to"]:
            message = f"{name} has only version 1; %cellship pause {name} stops it."
            raise Problem(409, "rollback.nothing-older", message)
        target = self.number(name, body.get("to") or body.get("version") or "previous")
        if verb in ("rollback", "promote"):
            self.point(name, {target: 100})
        if verb == "traffic":
            self.point(
                name, {self.number(name, one): part for one, part in body["traffic"].items()}
            )
        if verb == "pause":
            self.deployments[name]["paused"] = {"by": body["author"], "at": NOW}
        now = self.deployments[name]["live"]
        message = f"{now} answers now (0.09 s, 0 requests lost)."
        return 200, {
            "deployment": self.deployments[name],
            "live": now,
            "left": [f"{name}@{live}"],
            "seconds": 0.09,
            "lost": 0,
            "message": message,
            "undo": f"%cellship promote {name}@{live}",
            "notes": [],
        }

    def delete(self, name: str, query: Any, body: Any) -> tuple[int, Any]:
        self.deployment(name, query, body)
        del self.deployments[name], self.versions[name]
        return 200, {"name": name}

    def evaluate(self, name: str, query: Any, body: Any) -> tuple[int, Any]:
        self.deployment(name, query, body)
        return 200, self.evaluated

    def diff(self, name: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        return 200, {"text": "-    return 1\n+    return 2", "changed": ["predict, 1 line"]}

    def read_logs(self, name: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        after = int(query.get("after", 0))
        lines = [
            line
            for line in self.logs
            if "version" not in query or line["version"] == self.number(name, query["version"])
        ]
        limit = int(query.get("limit", 200))
        found = lines[after:][:limit] if "after" in query else lines[-limit:]
        return 200, {"lines": found, "next": str(len(lines))}

    def read_counts(self, name: str, query: Any, body: Any) -> tuple[int, Any]:
        self.clock += 1
        return 200, {"now": self.clock, "seconds": self.counts}

    def drop(self, lease: str, query: Any, body: Any) -> tuple[int, Any]:
        shutil.rmtree(self.leases.pop(lease))
        return 200, {"lease": lease}

    def call(self, path: str, query: Any, body: Any) -> tuple[int, Any]:
        name = path.partition("@")[0].partition("/")[0]
        if name not in self.deployments:
            raise Problem(404, "no-deployment", f"There is no deployment {name}.")
        if isinstance(body, dict) and body.get("row") == "text":
            wrong = [{"path": "/row", "message": "a list of numbers wanted, got text"}]
            raise Problem(
                422, "invalid", "row: a list of numbers wanted, got text", "GET /x", wrong
            )
        return 200, self.answer


A = "/api/v1"
D = A + "/deployments"
ROUTES: list[tuple[str, str, Any]] = [
    ("GET", A + "/status", FakeService.status),
    ("POST", A + "/leases", FakeService.open_lease),
    ("POST", A + "/leases/([^/]+)/admit", FakeService.admit),
    ("POST", A + "/leases/([^/]+)/versions", FakeService.commit),
    ("DELETE", A + "/leases/([^/]+)", FakeService.drop),
    ("GET", D, FakeService.list_deployments),
    ("GET", D + "/([^/]+)", FakeService.deployment),
    ("DELETE", D + "/([^/]+)", FakeService.delete),
    ("GET", D + "/([^/]+)/versions", FakeService.list_versions),
    ("GET", D + "/([^/]+)/versions/([^/]+)", FakeService.version),
    ("GET", D + "/([^/]+)/diff", FakeService.diff),
    ("GET", D + "/([^/]+)/logs", FakeService.read_logs),
    ("GET", D + "/([^/]+)/counts", FakeService.read_counts),
    ("POST", D + "/([^/]+)/exec", FakeService.evaluate),
    ("POST", D + "/([^/]+)/(rollback|promote|traffic|pause|resume)", FakeService.move),
    ("POST", "/(?!api/)(.+)", FakeService.call),
]


def handler_of(service: FakeService) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            url = urlsplit(self.path)
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = json.loads(text) if text else None
            service.seen.append((self.command, url.path, body))
            try:
                if (
                    url.path.startswith("/api/")
                    and self.headers["Authorization"] != f"Bearer {TOKEN}"
                ):
                    raise Problem(401, "api.token", "A token is needed.")
                status, content = service.route(
                    self.command, url.path, dict(parse_qsl(url.query)), body
                )
            except Problem as problem:
                status, content = problem.status, {"error": problem.error}
            self.send(status, json.dumps(content).encode())

        def send(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *words: Any) -> None:
            """Silent: a test reads stderr."""

        do_GET = do_POST = do_DELETE = answer

    return Handler


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was interrupted has gone; that is no error here."""


def serve(service: FakeService) -> Server:
    server = Server(("127.0.0.1", 0), handler_of(service))
    service.address = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server

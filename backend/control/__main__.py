"""`python -m cellship.backend.control DATA`: the control plane, started by the supervisor."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
import socket
import sys
from collections.abc import Mapping
from datetime import datetime, timezone
from importlib.metadata import version as installed
from pathlib import Path

import uvicorn

from cellship.backend.api.app import create_app
from cellship.backend.control.service import Service
from cellship.backend.data_folder import DataFolder, open_data_folder
from cellship.backend.locate import connection_of
from cellship.backend.protocol import PROTOCOL
from cellship.backend.supervise.sockets import sockets_folder
from cellship.snapshot.errors import CellshipError, NoBackend, Refused


def main(root: Path) -> int:
    logging.basicConfig(
        level=os.environ.get("CELLSHIP_LOG", "INFO").upper(),
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        data = open_data_folder(root)
        with listen(data) as listener:
            asyncio.run(serve(data, listener))
    except CellshipError as error:
        say_problem(root, error)
        return 1
    return 0


async def serve(data: DataFolder, listener: socket.socket) -> None:
    service = Service(data)
    token = owner_token(data)
    # the log is ours: one configuration, no access lines (the gateway's are the ones that matter)
    config = uvicorn.Config(
        create_app(service, token),
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=1,  # a long poll must not hold up the end
    )
    server = uvicorn.Server(config)
    await service.start()
    announce(data, token)
    try:
        await server.serve(sockets=[listener])
    finally:
        await service.close()


def listen(data: DataFolder) -> socket.socket:
    """The API's port, chosen once per data folder. Raises Refused where somebody else has it."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # an answer is two small writes; held back, each would wait for the caller's delayed ACK (40 ms)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind(("127.0.0.1", data.api_port))
    except OSError as error:
        listener.close()
        raise Refused(
            f"Port {data.api_port} of this data folder's API is taken by another program.",
            code="backend.port-taken",
            hint=f"End that program, or change api_port in {data.root / 'data.json'}.",
        ) from error
    return listener


def owner_token(data: DataFolder) -> str:
    """The same token as before a restart, so that open notebooks go on."""
    try:
        return connection_of(data.root).token
    except NoBackend:
        return secrets.token_urlsafe(32)


def announce(data: DataFolder, token: str) -> None:
    """Write run/backend.json, readable by its owner only, and take back an earlier problem."""
    facts = {
        "address": f"http://127.0.0.1:{data.api_port}",
        "gateway": f"http://127.0.0.1:{data.gateway_port}",
        "token": token,
        "pid": os.getpid(),
        "started": datetime.now(timezone.utc).isoformat(),
        "version": installed("cellship"),
        "protocol": PROTOCOL,
        "sockets": str(sockets_folder(data.root)),
    }
    write_private(data.backend_file, facts)
    data.problem_file.unlink(missing_ok=True)


def say_problem(root: Path, error: CellshipError) -> None:
    """Leave the sentence where `cellship up` looks for it."""
    logging.error("%s", error)
    facts = {"code": error.code, "message": error.message, "hint": error.hint}
    write_private(root / "run" / "problem.json", facts)


def write_private(path: Path, facts: Mapping[str, object]) -> None:
    aside = path.with_suffix(".new")
    aside.unlink(missing_ok=True)
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(facts, file, indent=1)
    os.replace(aside, path)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

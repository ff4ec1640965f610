"""Starting and stopping the service of a data folder, apart from whoever asks."""

from __future__ import annotations

import fcntl
import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from cellship.backend.data_folder import DataFolder, make_data_folder, open_data_folder
from cellship.backend.locate import NOT_RUNNING, Connection, connection_of
from cellship.backend.supervise.sockets import sockets_folder
from cellship.snapshot.errors import CellshipError, NoBackend, Refused

Say = Callable[[str], None]

START_LIMIT = 30.0
STOP_LIMIT = 45.0
SERVER_PARTS = (
    *("fastapi", "uvicorn", "uvloop", "httptools", "pygit2", "sqlalchemy"),
    *("alembic", "jsonschema_rs", "psutil", "pydantic", "yaml"),
)
# what the service may know of its starter: never the kernel's own variables, which hold secrets
PASSED_ON = (
    "HOME",
    "USER",
    "LOGNAME",
    "PATH",
    "LANG",
    "TZ",
    "TMPDIR",
    "XDG_RUNTIME_DIR",
    "CELLSHIP_LOG",
)
STARTING = (
    "Starting Cellship on this machine (apart from your notebook). "
    "It keeps running when JupyterLab closes. Stop: cellship down"
)


def up(root: Path, say: Say) -> Connection:
    """The running service of this data folder, started if need be. Raises Refused, NoBackend."""
    refuse_windows()
    data = make_data_folder(root)
    with start_lock(data):
        if (running := answering(data)) is not None:
            return running
        missing = missing_parts()
        if missing:
            raise NoBackend(
                f"The service cannot start here: {', '.join(missing)} not installed.",
                code="backend.not-installed",
                hint=f'"{sys.executable}" -m pip install "cellship[server]"',
            )
        say(STARTING)
        return start(data)


def down(root: Path) -> bool:
    """Stop everything of this data folder; whether anything ran."""
    try:
        data = open_data_folder(root)
    except Refused:
        return False
    with start_lock(data):
        if not ask_supervisor(data, {"do": "ping"}, 5.0) and is_orphaned(data):
            start(data)  # its supervisor was killed; a new one adopts what runs, and can end it
        answered = ask_supervisor(data, {"do": "stop"}, STOP_LIMIT)
        if answered is not None:
            data.backend_file.unlink(missing_ok=True)
            wait_ended(data)
        return answered is not None


def answering(data: DataFolder) -> Connection | None:
    """The service, if it answers now; None where there is none."""
    try:
        found = connection_of(data.root)
        response = requests.get(
            f"{found.address}/api/v1/status",
            headers={"Authorization": f"Bearer {found.token}"},
            timeout=5,
        )
    except (NoBackend, requests.RequestException):
        return None
    return found if response.ok and ask_supervisor(data, {"do": "ping"}, 5.0) else None


def start(data: DataFolder) -> Connection:
    """Start the supervisor (or wait for one that is there) until the API answers."""
    data.problem_file.unlink(missing_ok=True)
    began = time.time()
    supervisor = None if ask_supervisor(data, {"do": "ping"}, 5.0) else spawn(data)
    while time.time() - began < START_LIMIT:
        if (found := answering(data)) is not None:
            return found
        raise_problem(data, ours=supervisor is not None)
        if supervisor is not None and not is_alive(supervisor):
            raise supervisor_problem(data)
        time.sleep(0.02)
    raise NoBackend(
        f"The service did not answer within {START_LIMIT:.0f} s.",
        code="backend.no-answer",
        hint=f"Its log: {data.run / 'control.log'}",
    )


def spawn(data: DataFolder) -> int:
    """The supervisor's pid: in a session of its own, knowing nothing of the caller's environment.

    A shell stands between for a moment, so that the caller, often a kernel, is not its parent: it
    would have to reap it.
    """
    supervisor = [sys.executable, "-m", "cellship.backend.supervise", str(data.root)]
    with open(data.run / "supervisor.log", "ab") as log:
        done = subprocess.run(
            ["/bin/sh", "-c", 'exec 3>&1 >&2; "$@" 3>&- & echo $! >&3', "sh", *supervisor],
            cwd=data.root,
            env=own_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
            check=True,
        )
    return int(done.stdout)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def own_environment() -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in PASSED_ON or name.startswith("LC_")
    }
    return kept | {"PYTHONSAFEPATH": "1"}  # the data folder is no place for modules


def missing_parts() -> list[str]:
    """Packages of `cellship[server]` that this interpreter cannot import."""
    return [part for part in SERVER_PARTS if importlib.util.find_spec(part) is None]


def wait_ended(data: DataFolder) -> None:
    """The supervisor answers before it ends; whoever starts it again must not meet it."""
    deadline = time.monotonic() + STOP_LIMIT
    with open(data.run / "supervisor.lock", "a") as lock:
        while time.monotonic() < deadline:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                time.sleep(0.01)


def is_orphaned(data: DataFolder) -> bool:
    """Whether processes of a supervisor that was killed still run."""
    try:
        kept = json.loads((data.run / "children.json").read_text())
        return any(is_alive(child["pid"]) for child in kept["children"])
    except (OSError, ValueError, KeyError):
        return False


def raise_problem(data: DataFolder, *, ours: bool) -> None:
    """Say why the control plane could not start, where it said so.

    A service that was started just now (`ours`) is stopped again; one that serves goes on.
    """
    try:
        problem = json.loads(data.problem_file.read_text())
    except (FileNotFoundError, ValueError):
        return
    if ours:
        ask_supervisor(data, {"do": "stop"}, STOP_LIMIT)
    data.problem_file.unlink(missing_ok=True)
    raise Refused(problem["message"], code=problem["code"], hint=problem["hint"])


def supervisor_problem(data: DataFolder) -> CellshipError:
    """The sentence of a supervisor that ended at once: its last line is JSON if it had one."""
    lines = (data.run / "supervisor.log").read_text(errors="replace").splitlines()
    last = lines[-1] if lines else ""
    try:
        said: dict[str, Any] = json.loads(last)
        return Refused(said["message"], code=said["code"], hint=said.get("hint", ""))
    except (ValueError, KeyError, TypeError):
        return NoBackend(
            f"The service ended at once: {last}",
            code="backend.ended",
            hint=f"Its log: {data.run / 'supervisor.log'}",
        )


def ask_supervisor(
    data: DataFolder, question: dict[str, Any], limit: float
) -> dict[str, Any] | None:
    """One question on the supervisor's socket; None where nobody answers."""
    path = sockets_folder(data.root) / "supervisor.sock"
    try:
        with socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(limit)
            wire.connect(str(path))
            wire.sendall(json.dumps(question).encode() + b"\n")
            with wire.makefile("rb") as lines:
                answer = lines.readline()
    except OSError:
        return None
    if not answer:
        return None
    found: dict[str, Any] = json.loads(answer)
    return found


@contextmanager
def start_lock(data: DataFolder) -> Iterator[None]:
    """Held while starting or stopping, so that two notebooks start one service."""
    with open(data.run / "start.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def refuse_windows() -> None:
    if sys.platform == "win32":
        raise NoBackend(
            "The service does not run on Windows itself; it runs in WSL 2.",
            code="backend.windows",
            hint="In WSL 2: pip install cellship[server] && cellship up",
        )


__all__ = ["NOT_RUNNING", "down", "up"]

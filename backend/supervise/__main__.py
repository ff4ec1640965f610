"""`python -m cellship.backend.supervise DATA`: runs until it is told to stop."""

from __future__ import annotations

import fcntl
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from .listening import PortTaken
from .sockets import NoSocketsFolder
from .supervisor import Command, Supervisor

REFUSED = 4


def main(argv: list[str]) -> int:
    if len(argv) != 2:
        return refuse("usage", "usage: python -m cellship.backend.supervise DATA")
    data = Path(os.path.abspath(argv[1]))
    return supervise(
        data, lambda what: [sys.executable, "-m", f"cellship.backend.{what}", str(data)]
    )


def supervise(data: Path, command: Command) -> int:
    """Run the supervisor of a data folder; the exit code. `command` gives each service's line."""
    with suppress(PermissionError):
        os.setsid()
    try:
        port = json.loads((data / "data.json").read_text())["gateway_port"]
        lock = open(data / "run" / "supervisor.lock", "a+")  # noqa: SIM115 (held to the end)
    except (OSError, ValueError, KeyError):
        return refuse(
            "data.missing", f"{data} is not a Cellship data folder.", "cellship up makes it."
        )
    with lock:
        if not take(lock):
            return refuse("supervisor.running", f"The service of {data} runs already.")
        try:
            supervisor = Supervisor(data, port, command)
        except PortTaken as error:
            return refuse_port(error)
        except NoSocketsFolder as error:
            return refuse(
                "sockets.folder", str(error), "Set XDG_RUNTIME_DIR to a short folder of yours."
            )
        supervisor.run()
    return 0


def take(lock: IO[str]) -> bool:
    """The lock of the data folder: held until this process ends, however it ends."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return True


def refuse_port(error: PortTaken) -> int:
    holder = error.holder
    return refuse(
        "port.taken",
        str(error),
        "Stop that program, then: cellship up",
        port=error.port,
        holder=None if holder is None else {"pid": holder[0], "command": holder[1]},
    )


def refuse(code: str, message: str, hint: str = "", **facts: Any) -> int:
    """Say why not, in one JSON line that `cellship up` reads."""
    print(json.dumps({"code": code, "message": message, "hint": hint, **facts}), file=sys.stderr)
    return REFUSED


if __name__ == "__main__":
    sys.exit(main(sys.argv))

"""One supervisor per data folder: holds the listening socket, is the parent of everything else."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

from . import processes
from .adopt import adopt
from .exits import Exit, Exits
from .family import Family
from .kept import Kept
from .lines import LineServer, Question, Reply
from .loop import Loop
from .records import Records, left_behind
from .sockets import sockets_folder
from .spawn import Order
from .stop import Stop

PROTOCOL = 1
LONGEST_LOG = 16 * 1024 * 1024
Command = Callable[[str], list[str]]  # of "gateway" or "control"


class Supervisor:
    """Made under the lock; `run` returns when everything has ended. Raises PortTaken."""

    def __init__(self, data: Path, port: int, command: Command) -> None:
        self._data = data
        self._run = data / "run"
        self._command = command
        self._loop = Loop()
        self._sockets = sockets_folder(data)
        processes.become_subreaper()
        behind = left_behind(self._run / "children.json")
        self._records = Records(self._run / "children.json", behind)
        self._exits = Exits(self._run / "exits.jsonl")
        self._family = Family(self._loop, self._records, self._exits)
        self._listener = adopt(self._family, behind, self._sockets / "gateway.sock", port)
        self._gateway = Kept(self._loop, self._family, self._gateway_order)
        self._control = Kept(self._loop, self._family, self._control_order)
        self._stop: Stop | None = None
        self._stop_replies: list[Reply] = []

    def run(self) -> None:
        self._server = LineServer(self._loop, self._sockets / "supervisor.sock", self._answer)
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.on_signal(number, self.stop)
        self._loop.on_signal(signal.SIGHUP, lambda: None)
        self._gateway.start()
        self._control.start()
        self._family.reap()
        self._loop.run()

    def stop(self) -> None:
        if self._stop is None:
            self._gateway.leave()
            self._control.leave()
            self._stop = Stop(self._loop, self._family, self._before, self._stopped)

    def _before(self, step: str) -> None:
        if step == "gateway":
            self._listener.close()  # who comes now is refused at once, and not left waiting

    def _stopped(self) -> None:
        for reply in self._stop_replies:
            reply({"ok": True})
        self._server.close()
        self._records.remove()
        remove_sockets(self._sockets)
        self._loop.stop()

    def _gateway_order(self) -> Order:
        fd = self._listener.fileno()
        return self._order("gateway", {"CELLSHIP_LISTEN_FD": str(fd)}, (fd,))

    def _control_order(self) -> Order:
        return self._order("control", {}, ())

    def _order(self, what: str, env: dict[str, str], pass_fds: tuple[int, ...]) -> Order:
        # the data folder is the cwd, and must not be searched for modules
        whole = {**os.environ, "PYTHONSAFEPATH": "1", **env}
        log = self._run / f"{what}.log"
        turn_over(log)
        return Order(what, self._command(what), whole, str(self._data), str(log), pass_fds=pass_fds)

    def _answer(self, question: Question, reply: Reply) -> None:
        verbs: dict[str, Callable[[Question, Reply], None]] = {
            "ping": self._ping,
            "spawn": self._spawn,
            "children": self._children,
            "kill": self._kill,
            "wait": self._wait,
            "stop": self._stop_asked,
        }
        verb = verbs.get(str(question.get("do")))
        if verb is None:
            reply({"ok": False, "message": f"The supervisor knows {', '.join(verbs)}."})
            return
        try:
            verb(question, reply)
        except (KeyError, TypeError, ValueError) as error:
            reply({"ok": False, "message": f"Not understood: {error!r}."})

    def _ping(self, question: Question, reply: Reply) -> None:
        reply({"ok": True, "pid": os.getpid(), "protocol": PROTOCOL})

    def _spawn(self, question: Question, reply: Reply) -> None:
        if self._stop is not None:
            reply({"ok": False, "stopping": True, "message": "The service is stopping."})
            return
        order = Order(
            **{name: question[name] for name in ("id", "argv", "env", "cwd", "output")},
            stdin=question.get("stdin", ""),
            keep_stdin=question.get("keep_stdin", False),
        )
        try:
            child = self._family.spawn(order, "replica")
        except (OSError, ValueError) as error:
            reply({"ok": False, "message": f"It could not be started: {error}."})
            return
        reply({"ok": True, "pid": child.pid, "started": child.started})

    def _children(self, question: Question, reply: Reply) -> None:
        reply(
            {
                "children": [
                    {"id": child.id, "pid": child.pid, "started": child.started, "what": child.what}
                    for child in self._family.of()
                ]
            }
        )

    def _kill(self, question: Question, reply: Reply) -> None:
        child = self._family.get(question["id"])
        number = int(question.get("signal", signal.SIGTERM))
        reply({"ok": child is not None and self._family.signal(child, number)})

    def _wait(self, question: Question, reply: Reply) -> None:
        name = question["id"]

        def ended(how: Exit | None) -> None:
            timer.cancel()
            reply({"exit": None if how is None else vars(how)})

        def too_long() -> None:
            self._family.wait_no_more(name, ended)
            reply({"exit": None})

        timer = self._loop.later(float(question.get("timeout", 0)), too_long)
        self._family.wait(name, ended)

    def _stop_asked(self, question: Question, reply: Reply) -> None:
        self._stop_replies.append(reply)
        self.stop()


def turn_over(log: Path) -> None:
    """Begin a log anew when it has grown long; the one before is kept."""
    if log.exists() and log.stat().st_size > LONGEST_LOG:
        os.replace(log, log.with_suffix(".log.1"))


def remove_sockets(folder: Path) -> None:
    for socket_file in folder.iterdir():
        socket_file.unlink(missing_ok=True)
    folder.rmdir()

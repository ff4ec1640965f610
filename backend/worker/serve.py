"""The verb `serve`: a worker that answers calls until it is told to stop.

The socket opens first, so that whoever asks hears "starting"; then the snapshot is restored in the
main thread, as in the notebook; then the loop answers calls. docs/contributors/frames.md describes
what is said on the socket.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
import traceback
from types import TracebackType
from typing import Any, Dict, Mapping, Optional

from . import failures
from .dispatch import Methods
from .door import Door
from .frames import PROTOCOL, Kind, frame
from .greeter import Greeter
from .logs import Logs
from .method import Method
from .signature import Unservable

SOURCE = "source.py"
FAREWELL = 5.0  # seconds for readers to take their last answers
LINGER = 2.0  # seconds for threads of user code to end
AT_ONCE = 64  # calls of an `async def`
LISTEN_FOR = 5.0  # seconds in which somebody should hear why a worker did not start


def serve(job: Mapping[str, Any]) -> int:
    """Serve the job's snapshot. The exit code: 0 after an order to stop, 1 if it does not load."""
    began = time.monotonic()
    logs = Logs(job["logs"])
    logs.install()
    door = Door(job["socket"], hello(job))
    stop_on_signals(door)
    greeter = Greeter(door)
    greeter.start()
    try:
        methods = load(job, logs)
    except BaseException as error:  # SystemExit in user code is a failure to load, too
        logs.end_call()
        greeter.end()
        return give_up(door, logs, error)
    logs.end_call()
    greeter.end()
    stop_on_signals(door)  # user code may have set its own
    door.become("ready")
    door.tell_all(frame(Kind.READY, 0, seconds_since(began)))
    loop(job, door, methods, logs).run()
    return leave(door, logs, 0)


def hello(job: Mapping[str, Any]) -> Dict[str, Any]:
    """Who this is, for everyone who connects."""
    return {
        "protocol": PROTOCOL,
        "replica": job["replica"],
        "snapshot": job["digest"],
        "deployment": job["deployment"],
        "version": job["version"],
        "pid": os.getpid(),
        "started": time.time(),
    }


def load(job: Mapping[str, Any], logs: Logs) -> Dict[str, Method]:
    """Restore the snapshot and find its entry. Raises whatever user code raises, and Unservable."""
    from .restore import restore

    names = restore(job["snapshot"]).namespace
    entry = Method(find_entry(entry_of(job), names), names, job["deployment"], logs)
    if not entry.is_async and concurrency_of(job) > 1:
        raise Unservable(
            "entry.concurrency", "A def answers one call at a time; threads are not there yet."
        )
    return {"": entry}


def concurrency_of(job: Mapping[str, Any]) -> int:
    """Calls at once as the version's settings say; 0 where they say nothing."""
    return int(job["settings"].get("concurrency") or 0)


def entry_of(job: Mapping[str, Any]) -> str:
    """The expression that names the entry: a setting, else what the snapshot says."""
    if job["settings"].get("entry"):
        return str(job["settings"]["entry"])
    with open(os.path.join(job["snapshot"], "snapshot.json"), encoding="utf-8") as file:
        return str(json.load(file)["entry"])


def find_entry(expression: str, names: Mapping[str, Any]) -> Any:
    """The object that `predict` or `model.predict` names. Raises Unservable."""
    first, *rest = expression.split(".")
    try:
        entry = names[first]
        for name in rest:
            entry = getattr(entry, name)
    except (KeyError, AttributeError) as error:
        raise Unservable("entry.unknown", "The snapshot has no {}.".format(expression)) from error
    return entry


def loop(job: Mapping[str, Any], door: Door, methods: Dict[str, Method], logs: Logs) -> Any:
    """One call at a time for `def`, up to `concurrency` (64) at once for `async def`."""
    found = Methods(job["deployment"], methods)
    if any(method.is_async for method in methods.values()):
        from .awaiting import AwaitingLoop

        return AwaitingLoop(door, found, logs, concurrency_of(job) or AT_ONCE)
    from .blocking import BlockingLoop

    return BlockingLoop(door, found, logs)


def stop_on_signals(door: Door) -> None:
    """SIGTERM is an order to stop, as SHUTDOWN; an interrupt is meant for somebody else."""

    def stop(*_: Any) -> None:
        door.stopping = True
        door.wake()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, lambda *_: None)  # unlike SIG_IGN, no child inherits it


def give_up(door: Door, logs: Logs, error: BaseException) -> int:
    """Say why it does not start: the log gets the traceback, the control plane a sentence."""
    shown = traceback.format_exception(type(error), error, own_part(error))
    logs.line("log", "ERROR", "".join(shown).rstrip("\n"))
    door.become("failed")
    door.tell_all(failure(error))
    deadline = time.monotonic() + LISTEN_FOR
    while not door.greeted and time.monotonic() < deadline:
        door.handle(door.selector.select(0.1))
        door.tell_all(failure(error))
    return leave(door, logs, 1)


def failure(error: BaseException) -> bytes:
    """The FAIL frame of a worker that did not load, on stream 0."""
    code = getattr(error, "code", None)
    hint = getattr(error, "hint", "")
    if isinstance(code, str) and "." in code:
        return failures.fail(0, 500, code, str(error), hint=str(hint))
    message = "{}{}: {}".format(where(error), type(error).__name__, error)
    return failures.fail(0, 500, "replica.load-failed", message)


def own_part(error: BaseException) -> Optional[TracebackType]:
    """The traceback from the snapshot's own code on; all of it where that did not run."""
    steps = error.__traceback__
    while steps and os.path.basename(steps.tb_frame.f_code.co_filename) != SOURCE:
        steps = steps.tb_next
    return steps or error.__traceback__


def where(error: BaseException) -> str:
    """The last place in the snapshot's own code: `In load(), line 3: `."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [each for each in frames if os.path.basename(each.filename) == SOURCE]
    if not own:
        return ""
    name = own[-1].name
    inside = SOURCE if name == "<module>" else name + "()"
    return "In {}, line {}: ".format(inside, own[-1].lineno)


def leave(door: Door, logs: Logs, code: int) -> int:
    """Let readers take their last answers, and be gone soon."""
    door.close()
    door.deliver([(call[0], failures.stopping(call[1])) for call in door.calls])
    deadline = time.monotonic() + FAREWELL
    while door.unsent() and time.monotonic() < deadline:
        door.handle(door.selector.select(0.05))
    logs.segments.tick()
    limit_exit(code)
    return code


def limit_exit(code: int) -> None:
    """End the process even if threads of user code do not."""
    timer = threading.Timer(LINGER, os._exit, (code,))
    timer.daemon = True
    timer.start()


def seconds_since(began: float) -> bytes:
    return json.dumps({"seconds": round(time.monotonic() - began, 6)}).encode()

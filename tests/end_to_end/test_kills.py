"""SIGKILL of each process at each step of a deploy and of a rollback.

Afterwards: the workspace is sound, no version is half there, nothing runs twice or without a
parent, the live version answers, and the same command succeeds.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass

import psutil
import pytest
from benchmarks.load import Load, load
from tests.driver import Kernel, Ran, Service, command, until

CELL = """\
%%deploy add
def add(x: int) -> int:
    "Add {n}."
    return x + {n}
"""
VICTIMS = {
    "supervisor": "cellship.backend.supervise",
    "control": "cellship.backend.control",
    "gateway": "cellship.backend.gateway",
    "worker": "_cellship",
}
WITHOUT_CONTROL = ("supervisor", "control")
CONNECTIONS = 2


@dataclass(frozen=True)
class Before:
    """What there was before the operation; a step is told by what has changed."""

    running: Service
    tags: str
    replicas: frozenset[int]
    routes: str

    def leased(self) -> bool:
        return any((self.running.data / "leases").iterdir())

    def admitting(self) -> bool:
        return any("admit" in command(process) for process in alive(self.running, "worker"))

    def committed(self) -> bool:
        return tags(self.running) != self.tags

    def starting(self) -> bool:
        return bool(replicas(self.running) - self.replicas)

    def routed(self) -> bool:
        return routes(self.running) != self.routes


DEPLOY_STEPS = ("leased", "admitting", "committed", "starting", "routed")
ROLLBACK_STEPS = ("begun", "routed")


@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.parametrize("step", DEPLOY_STEPS)
def test_killed_in_a_deploy(own: Service, notebook: Kernel, victim: str, step: str) -> None:
    notebook.run(CELL.format(n=1))
    before = seen_before(own)

    with load(own.url("add"), '{"x": 1}', connections=CONNECTIONS) as seen:
        killer = Killer(own, victim, getattr(before, step))
        notebook.attempt(CELL.format(n=2))
        killer.join()
        recover(own, victim)
        again(notebook, lambda: notebook.attempt(CELL.format(n=2)))
        until(lambda: own.call("add", x=1).json() == 3, what="version 2 answers")
    assert killer.struck, f"nothing of {victim} ran at {step}"
    sound(own)
    kept_answering(victim, seen)
    versions = own.listed("versions", "add")
    assert sorted(each["version"] for each in versions) == list(range(1, len(versions) + 1))
    assert len(versions) <= 3
    for each in versions:
        shown = own.cellship("exec", f"add@{each['version']}", "add(1)").strip()
        assert shown == ("2" if each["version"] == 1 else "3")


@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.parametrize("step", ROLLBACK_STEPS)
def test_killed_in_a_rollback(own: Service, notebook: Kernel, victim: str, step: str) -> None:
    for n in (1, 2):
        notebook.run(CELL.format(n=n))
    before = seen_before(own)

    with load(own.url("add"), '{"x": 1}', connections=CONNECTIONS) as seen:
        happened = before.routed if step == "routed" else lambda: True
        killer = Killer(own, victim, happened)
        first = own.command("rollback", "add@1")
        killer.join()
        recover(own, victim)
        if first.returncode:
            assert "Traceback" not in first.stderr
            own.command("rollback", "add@1")
        until(lambda: own.call("add", x=1).json() == 2, what="version 1 answers")
    assert killer.struck
    sound(own)
    kept_answering(victim, seen)
    assert len(own.listed("versions", "add")) == 2


class Killer(threading.Thread):
    """Kills one process of a kind as soon as something has happened."""

    def __init__(self, running: Service, victim: str, happened: Callable[[], bool]) -> None:
        super().__init__(daemon=True)
        self.running, self.victim, self.happened = running, victim, happened
        self.struck = False
        self.start()

    def run(self) -> None:
        until(self.happened, limit=30, what=f"the moment to kill {self.victim}")
        victims = sorted(
            alive(self.running, self.victim), key=lambda process: process.create_time()
        )
        for process in victims[-1:]:
            os.kill(process.pid, signal.SIGKILL)
            self.struck = True


def seen_before(running: Service) -> Before:
    return Before(running, tags(running), replicas(running), routes(running))


def alive(running: Service, victim: str) -> list[psutil.Process]:
    return running.processes(VICTIMS[victim])


def replicas(running: Service) -> frozenset[int]:
    return frozenset(
        process.pid for process in alive(running, "worker") if "serve" in command(process)
    )


def tags(running: Service) -> str:
    done = subprocess.run(
        ["git", "--git-dir", str(running.data / "workspace.git"), "tag"],
        capture_output=True,
        text=True,
    )
    return done.stdout


def routes(running: Service) -> str:
    table = json.loads((running.data / "run" / "routes.json").read_text())
    return json.dumps({name: each["traffic"] for name, each in table["deployments"].items()})


def recover(running: Service, victim: str) -> None:
    """What a person does: only a killed supervisor has to be started again."""
    if victim == "supervisor":
        running.up()
    until(lambda: running.command("status").returncode == 0, what="the service answers")


def again(notebook: Kernel, attempt: Callable[[], Ran]) -> None:
    ran = attempt()
    assert not ran.error, ran.text


def kept_answering(victim: str, seen: Load) -> None:
    """Without the control plane nothing fails; otherwise what the dead process held may."""
    if victim in WITHOUT_CONTROL:
        assert seen.failed == 0, seen.told
    elif victim == "worker":
        assert seen.failed <= CONNECTIONS, seen.told


def sound(running: Service) -> None:
    """The workspace passes git's own check, and one of each process runs, none of them alone."""
    checked = subprocess.run(
        ["git", "--git-dir", str(running.data / "workspace.git"), "fsck", "--strict"],
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stderr
    until(lambda: not any((running.data / "leases").iterdir()), what="no lease is left")
    for victim in ("supervisor", "control", "gateway"):
        until(lambda victim=victim: len(alive(running, victim)) == 1, what=f"one {victim} runs")
    family = {process.pid for process in alive(running, "supervisor")[0].children(recursive=True)}
    orphans = [process for process in alive(running, "worker") if process.pid not in family]
    # a replica that outlived its supervisor was adopted: it is nobody's child, and known
    known = {each["pid"] for each in known_replicas(running)}
    assert [command(process) for process in orphans if process.pid not in known] == []


def known_replicas(running: Service) -> list[dict[str, int]]:
    children = json.loads((running.data / "run" / "children.json").read_text())
    found: list[dict[str, int]] = children["children"] if isinstance(children, dict) else children
    return found

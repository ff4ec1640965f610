"""A process that ships, rolls back and deletes until it is killed. Prints what it was told is done.

    python writer_process.py REPOSITORY SNAPSHOT NAME ROUNDS [STEP AT]

With STEP (`commit`, `after-tag`, …, `lock`) it kills itself at the AT-th call of that step.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import datetime, timezone
from pathlib import Path

from cellship.backend.workspace.bare import BRANCH, Bare
from cellship.backend.workspace.repository import Workspace

repository, snapshot, name, rounds, *fault = sys.argv[1:]
calls = 0


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def kill_at(step: str, at: int) -> None:
    """Die before the AT-th call of a method of `Bare`, or after it for `after-…`."""
    before = not step.startswith("after-")
    method = "advance" if step == "lock" else step.removeprefix("after-")
    original = getattr(Bare, method)

    def wrapped(*arguments: object, **options: object) -> object:
        global calls
        calls += 1
        if calls == at and step == "lock":  # as if in the middle of the change of a ref
            (Path(repository) / f"{BRANCH}.lock").write_text("")
            (Path(repository) / "objects" / "tmp_object_git2_1").write_text("half")
        if calls == at and before:
            die()
        result = original(*arguments, **options)
        if calls == at:
            die()
        return result

    setattr(Bare, method, wrapped)


def main() -> None:
    workspace = Workspace(Path(repository))
    workspace.create()
    if fault:
        kill_at(fault[0], int(fault[1]))
    started = dict.fromkeys(range(10000), "ok")
    for turn in range(int(rounds)):
        now = datetime.now(timezone.utc)
        (Path(snapshot) / "source.py").write_text(
            f"def predict(x):\n    return {os.getpid()}, {turn}\n"
        )
        number = workspace.commit_version(
            name,
            Path(snapshot),
            {},
            {"entry": "predict"},
            "ann",
            "",
            candidate=turn % 3 == 1,
            now=now,
        )
        print("made", number, flush=True)
        if turn % 3 == 1:
            workspace.delete_candidate(name, number, started, author="ann", now=now)
            print("deleted", number, flush=True)
        if turn % 3 == 2:
            change = workspace.rollback(name, None, started, author="ann", now=now)
            print("rolled", *change.after.deployment.traffic or (), flush=True)


main()

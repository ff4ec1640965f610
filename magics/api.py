"""The Python API: what `import cellship` offers in a notebook or a script. Values, no output."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cellship.backend.client_answers import Deployment, Moved, Status, Version
from cellship.magics import calling, origin
from cellship.magics.calling import Endpoint
from cellship.magics.deploy_command import deploy as deploy_now
from cellship.magics.deploy_command import deploy_command
from cellship.magics.deployed import Deployed, Plan
from cellship.magics.extension import loaded_magics
from cellship.magics.grammar import shares, target
from cellship.magics.line import invoke
from cellship.magics.session import Session
from cellship.snapshot.errors import CellshipError, UsageProblem

if TYPE_CHECKING:
    from cellship.backend.client import Client


def deploy(
    name: str,
    entry: str | None = None,
    *,
    packages: str | None = None,
    files: tuple[str, ...] = (),
    no_files: tuple[str, ...] = (),
    replicas: int | None = None,
    traffic: int | None = None,
    message: str = "",
    because: str = "",
    tolerance: float | None = None,
    example_run: bool = True,
    plan: bool = False,
) -> Deployed | Plan:
    """Ship an object that exists, as `%deploy NAME --entry ENTRY` does.

    Raises CaptureRefused if it cannot be shipped whole, CellshipError for all else.
    """
    words = {"--entry": entry, "--packages": packages, "--message": message, "--because": because}
    numbers = {"--replicas": replicas, "--traffic": traffic, "--tolerance": tolerance}
    line = [name]
    for option, value in (words | numbers).items():
        line += [option, str(value)] if value not in (None, "") else []
    line += [word for file in files for word in ("--file", file)]
    line += [word for file in no_files for word in ("--no-file", file)]
    line += ["--no-example-run"] * (not example_run) + ["--plan"] * plan
    return deploy_now(session(), "deploy", None, invoke(deploy_command, line, "deploy", session()))


def get(name: str) -> Endpoint:
    """The endpoint NAME or NAME@VERSION, to call with keyword arguments. Raises NotFound."""
    return calling.endpoint(client(), target(name))


def deployments() -> list[Deployment]:
    """What is there."""
    return client().deployments()


def versions(name: str) -> list[Version]:
    """The versions of a deployment."""
    return client().versions(target(name).name)


def rollback(name: str, because: str = "") -> Moved:
    """Back to the version before, or to `churn@3`."""
    to = target(name)
    return client().rollback(to.name, to.version, because, origin.author())


def promote(name: str) -> Moved:
    """Give all traffic to one version: `churn@8`."""
    to = target(name)
    if to.version is None:
        raise UsageProblem(f'Say which version: "{name}@7"', code="line.version")
    return client().promote(to.name, to.version, origin.author())


def traffic(name: str, split: dict[int | str, int]) -> Moved:
    """Split the calls in percent: `traffic("churn", {6: 90, 7: 10})`."""
    given = shares([f"{version}={percent}" for version, percent in split.items()])
    return client().traffic(target(name).name, given, origin.author())


def pause(name: str, because: str = "") -> Moved:
    """Stop answering."""
    return client().pause(target(name).name, because, origin.author())


def resume(name: str) -> Moved:
    """Answer again, and end the hold of a rollback."""
    return client().resume(target(name).name, origin.author())


def delete(name: str) -> None:
    """Delete a deployment with all its versions, or a candidate that waits: `churn@8`."""
    gone = target(name)
    if gone.version is None:
        client().delete(gone.name, origin.author())
    else:
        client().delete_version(gone.name, gone.version, origin.author())


def logs(name: str, limit: int = 200) -> list[dict[str, Any]]:
    """The newest lines that the workers printed, as objects."""
    wanted = target(name)
    return list(client().logs(wanted.name, version=wanted.version, limit=limit).lines)


def diff(name: str, old: int, new: int) -> str:
    """What changed between two versions, as text."""
    return client().diff(target(name).name, str(old), str(new)).text


def evaluate(name: str, expression: str) -> str:
    """The repr of a Python expression over the names of a version, in a clean worker."""
    wanted = target(name)
    done = client().evaluate(wanted.name, wanted.version, expression, origin.author())
    if not done.ok:
        raise CellshipError(f"{name}: {done.error}", code="exec.raised", hint=done.traceback)
    return done.repr


def status() -> Status:
    """Where the service runs."""
    return client().status()


def up(data: Path | None = None) -> Status:
    """Start the service of this machine, if it does not run."""
    from cellship.backend.client import connect_or_start

    return connect_or_start(data, session().say).status()


def down(data: Path | None = None) -> bool:
    """Stop the service with all its endpoints; whether anything ran."""
    from cellship.backend.client import stop

    return stop(data)


def client() -> Client:
    """The typed client of the running service. Raises NoBackend."""
    return session().client()


def session() -> Session:
    """The notebook that asks, if there is one."""
    from IPython.core import getipython

    shell: Any = getipython.get_ipython()
    magics = loaded_magics(shell) if shell is not None else None
    if magics is None:
        return Session(shell)
    return magics.session()

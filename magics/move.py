"""`rollback`, `promote`, `traffic`, `pause`, `resume`, `delete`: which versions answer."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from typing import Any

import click

from cellship.backend.client import Client
from cellship.backend.client_answers import Moved
from cellship.magics import origin, words
from cellship.magics.deployed import MIME
from cellship.magics.grammar import Target, shares
from cellship.magics.params import TARGET, as_json
from cellship.magics.session import Session
from cellship.magics.view import Message, View
from cellship.snapshot.errors import Refused, UsageProblem

json_option = click.option("--json", "json_", is_flag=True, help="As JSON.")
because_option = click.option("--because", default="", help="Why, for the record.")


@dataclass(frozen=True, repr=False)
class MovedView(View):
    """What answers now, and the line that takes it back."""

    moved: Moved
    mime = MIME

    def text(self) -> str:
        undo = f" Undo: {self.moved.undo}" if self.moved.undo else ""
        notes = [f"  {note}" for note in self.moved.notes]
        return "\n".join([self.moved.message + undo, *notes])

    def data(self) -> dict[str, Any]:
        return asdict(self.moved)


@click.command()
@click.argument("name", type=TARGET)
@because_option
@json_option
@click.pass_obj
def rollback(session: Session, name: Target, because: str, json_: bool) -> None:
    """Back to the version before, or to the one named.

    \b
    Examples:
      cellship rollback churn
      cellship rollback churn@3 --because "wrong answers for region 7"
    """
    show(
        session, session.client().rollback(name.name, name.version, because, origin.author()), json_
    )


@click.command()
@click.argument("name", type=TARGET)
@json_option
@click.pass_obj
def promote(session: Session, name: Target, json_: bool) -> None:
    """Give all traffic to one version: NAME@VERSION.

    \b
    Example: cellship promote churn@8
    """
    if name.version is None:
        raise UsageProblem(
            f"Say which version: %cellship promote {name.name}@7", code="line.version"
        )
    show(session, session.client().promote(name.name, name.version, origin.author()), json_)


@click.command()
@click.argument("name", type=TARGET)
@click.argument("split", nargs=-1, metavar="VERSION=PERCENT...")
@json_option
@click.pass_obj
def traffic(session: Session, name: Target, split: tuple[str, ...], json_: bool) -> None:
    """Split the calls between versions, in percent.

    \b
    Examples:
      cellship traffic churn 6=90 7=10
      cellship traffic churn latest=100
    """
    show(session, session.client().traffic(name.name, shares(split), origin.author()), json_)


@click.command()
@click.argument("name", type=TARGET)
@because_option
@json_option
@click.pass_obj
def pause(session: Session, name: Target, because: str, json_: bool) -> None:
    """Stop answering; versions and traffic stay as they are.

    \b
    Example: cellship pause churn --because "prices are wrong"
    """
    show(session, session.client().pause(name.name, because, origin.author()), json_)


@click.command()
@click.argument("name", type=TARGET)
@json_option
@click.pass_obj
def resume(session: Session, name: Target, json_: bool) -> None:
    """Answer again after a pause, and end the hold of a rollback."""
    show(session, session.client().resume(name.name, origin.author()), json_)


@click.command()
@click.argument("name", type=TARGET)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def delete(session: Session, name: Target, yes: bool) -> None:
    """Delete a deployment with all its versions, or a candidate that waits (NAME@VERSION)."""
    client = session.client()
    loss = what_goes(client, name)
    if not yes and not agreed(session, loss):
        raise Refused(
            f"Nothing was deleted. {loss}",
            code="delete.unconfirmed",
            hint=f"%cellship delete {name} --yes",
        )
    if name.version is None:
        client.delete(name.name, origin.author())
    else:
        client.delete_version(name.name, name.version, origin.author())
    session.show(Message(f"{name} is deleted."))


def show(session: Session, moved: Moved, json_: bool) -> None:
    if json_:
        session.out(as_json(asdict(moved)))
    else:
        session.show(MovedView(moved))


def what_goes(client: Client, name: Target) -> str:
    """One sentence about what a deletion takes away."""
    if name.version is not None:
        version = client.version(name.name, name.version)
        return (
            f"This takes away {version.label} ({version.state}), made {words.ago(version.created)}."
        )
    found = client.deployment(name.name)
    count = words.count(len(client.versions(name.name)), "version")
    answers = f" {found.live} answers there now." if found.live and not found.paused else ""
    return f"This takes away {name.name}: {count}, its address {found.url} and its logs.{answers}"


def agreed(session: Session, loss: str) -> bool:
    """Asked in a terminal only: a notebook that runs again must neither wait nor delete."""
    if session.in_notebook or not sys.stdin.isatty():
        return False
    return click.confirm(f"{loss} Delete?", err=True)


COMMANDS = (rollback, promote, pause, resume, traffic, delete)

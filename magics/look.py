"""`deployments`, `versions`, `diff`, `watch`, `explain`: looking at what is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from cellship.backend.client_answers import Deployment, Version
from cellship.magics import words
from cellship.magics.explain import explanation
from cellship.magics.grammar import Target, version_word
from cellship.magics.params import DURATION, TARGET, as_json
from cellship.magics.session import Session
from cellship.magics.view import Message, Table
from cellship.magics.watching import Watch
from cellship.snapshot.errors import NotFound

DEPLOYMENT_KEYS = ("name", "url", "state", "traffic", "latest", "live", "updated")
VERSION_KEYS = (
    *("name", "version", "digest", "state", "share", "created", "author", "message"),
    *("bytes_moved", "notebook", "cell"),
)
NOTHING_SHIPPED = "Nothing shipped yet. Put %%deploy NAME on a cell with a function."

json_option = click.option("--json", "json_", is_flag=True, help="As JSON.")


@click.command()
@json_option
@click.pass_obj
def deployments(session: Session, json_: bool) -> None:
    """What is there, and which version of it answers."""
    show_table(session, deployments_table(session.client().deployments()), json_)


@click.command()
@click.argument("name", type=TARGET)
@json_option
@click.pass_obj
def versions(session: Session, name: Target, json_: bool) -> None:
    """The versions of NAME, newest first."""
    show_table(session, versions_table(session.client().versions(name.name)), json_)


@click.command()
@click.argument("name", type=TARGET)
@click.argument("old", required=False)
@click.argument("new", required=False)
@click.pass_obj
def diff(session: Session, name: Target, old: str | None, new: str | None) -> None:
    """What changed between two versions of NAME; by default the two newest.

    \b
    Example: cellship diff churn 6 7
    """
    client = session.client()
    first, second = two_versions(client.versions(name.name), name, old, new)
    found = client.diff(name.name, first, second)
    head = f"{name.name}@{first} -> {name.name}@{second}"
    changed = f": {', '.join(found.changed)}" if found.changed else ": nothing"
    session.show(Message(f"{head}{changed}\n{found.text}".rstrip()))


@click.command()
@click.argument("name", type=TARGET)
@click.option("--for", "length", type=DURATION, default="20s", help="How long: 20s, 2m.")
@click.pass_obj
def watch(session: Session, name: Target, length: float) -> None:
    """Answers per second by version, as they happen."""
    Watch(session, session.client(), name.name, length).run()


@click.command()
@click.argument("code")
@click.pass_obj
def explain(session: Session, code: str) -> None:
    """What a code of an error means, and what to do."""
    session.show(Message(explanation(code)))


def show_table(session: Session, table: Table, json_: bool) -> None:
    if json_:
        session.out(as_json(table.data()))
    else:
        session.show(table)


def deployments_table(found: Sequence[Deployment]) -> Table:
    cells = tuple(
        (one.name, one.live or "-", state_word(one), traffic_text(one.traffic), one.url)
        for one in found
    )
    rows = tuple(picked(vars(one), DEPLOYMENT_KEYS) for one in found)
    return Table(("name", "live", "state", "traffic", "url"), cells, rows, NOTHING_SHIPPED)


def versions_table(found: Sequence[Version]) -> Table:
    newest_first = sorted(found, key=lambda one: one.version, reverse=True)
    cells = tuple(
        (
            one.label,
            marked(one),
            f"{one.share} %",
            words.ago(one.created),
            one.author,
            words.size(one.bytes_moved),
            one.message.partition("\n")[0],
        )
        for one in newest_first
    )
    rows = tuple(picked(vars(one), VERSION_KEYS) for one in newest_first)
    columns = ("version", "state", "share", "made", "by", "moved", "message")
    return Table(columns, cells, rows, "No versions.")


def picked(row: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    return {key: row[key] for key in keys}


def state_word(found: Deployment) -> str:
    return f"{found.state}, held" if found.hold else found.state


def marked(version: Version) -> str:
    return f"{version.state}, bad" if version.bad else version.state


def traffic_text(traffic: Mapping[str, int]) -> str:
    """`2: 100 %`, `6: 90 %, 7: 10 %`."""
    return ", ".join(f"{version}: {percent} %" for version, percent in traffic.items()) or "-"


def two_versions(
    found: Sequence[Version], name: Target, old: str | None, new: str | None
) -> tuple[str, str]:
    """The versions to compare, as the API takes them; the two newest where none is named."""
    numbers = sorted(version.version for version in found)
    if old and new:
        return version_word(old), version_word(new)
    if old or name.version:
        return version_word(old or str(name.version)), str(numbers[-1])
    if len(numbers) < 2:
        raise NotFound(
            f"{name.name} has only version {numbers[0]}; there is nothing to compare it with."
            if numbers
            else f"{name.name} has no versions yet.",
            code="diff.one-version",
        )
    return str(numbers[-2]), str(numbers[-1])


COMMANDS = (deployments, versions, diff, watch, explain)

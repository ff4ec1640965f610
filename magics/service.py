"""`up`, `down`, `status`, `doctor`: the service itself."""

from __future__ import annotations

from dataclasses import asdict

import click

from cellship.magics import words
from cellship.magics.params import as_json
from cellship.magics.session import Session
from cellship.magics.view import Message, aligned
from cellship.snapshot.errors import CellshipError, Refused


@click.command()
@click.pass_obj
def up(session: Session) -> None:
    """Start the service of this machine, or say that it runs."""
    from cellship.backend.client import is_remote

    if is_remote(session.data):
        raise Refused(
            "CELLSHIP_URL names a service by its address; it is started where it runs.",
            code="service.elsewhere",
            hint="Without CELLSHIP_URL, cellship up starts the one of this machine.",
        )
    found = session.client_or_start().status()
    session.show(
        Message(f"Cellship {found.version} answers at {found.gateway}  (data: {found.data})")
    )


@click.command()
@click.pass_obj
def down(session: Session) -> None:
    """Stop the service and all its endpoints; versions stay."""
    from cellship.backend.client import stop

    ran = stop(session.data)
    session.show(
        Message(
            "Stopped. Versions stay; cellship up starts them again." if ran else "Nothing runs."
        )
    )


@click.command()
@click.option("--json", "json_", is_flag=True, help="As JSON.")
@click.pass_obj
def status(session: Session, json_: bool) -> None:
    """Where the service runs, and what it keeps apart."""
    found = session.client().check_protocol()
    if json_:
        session.out(as_json(asdict(found)))
        return
    rows = [
        ("service", f"{found.version}, since {words.ago(found.started)}"),
        ("endpoints", found.gateway),
        ("API", found.address),
        ("data", f"{found.data} ({words.size(found.disk_free)} free)"),
        ("deployments", str(found.deployments)),
        ("isolation", found.isolation),
    ]
    session.show(Message("\n".join(aligned(rows))))


@click.command()
@click.option("--json", "json_", is_flag=True, help="As JSON.")
@click.pass_obj
def doctor(session: Session, json_: bool) -> None:
    """Check what Cellship needs, and say what to type where something is missing."""
    from cellship.magics.checks import all_checks

    findings = all_checks(session.data)
    if json_:
        session.out(as_json([asdict(finding) for finding in findings]))
    else:
        session.show(Message("\n".join(finding.text() for finding in findings)))
    wrong = [finding for finding in findings if not finding.ok]
    if wrong:
        raise CellshipError(
            f"{words.count(len(wrong), 'problem')}: {', '.join(found.what for found in wrong)}",
            code="doctor.problems",
        )


COMMANDS = (up, down, status, doctor)

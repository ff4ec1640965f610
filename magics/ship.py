"""One deploy from the notebook to the first answer (DESIGN.md 5)."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from cellship.backend.client import Client
from cellship.backend.client_answers import Committed, Same, Version
from cellship.magics import origin, ship_errors
from cellship.magics.deal import Deal, with_note
from cellship.magics.deployed import Deployed, Plan
from cellship.magics.order import Order, Standing, stand
from cellship.magics.progress import Progress
from cellship.magics.session import Session
from cellship.snapshot.candidate import Candidate
from cellship.snapshot.errors import CellshipError

STARTED_WITHIN = 900.0
WAIT_STEP = 10.0  # seconds of one question; an interrupt is heard at once all the same


def ship(order: Order, session: Session, progress: Progress) -> Deployed | Plan:
    """Ship what the kernel holds now. Raises CellshipError; a failure leaves traffic as it was."""
    with ship_errors.told(order, Standing(), None):
        progress.step("looking for the service")
        client = session.client_or_start()
        standing = stand(client, order.name)
    deal = Deal(order, client, progress, standing)
    with ship_errors.told(order, standing, deal), staging_folder() as staging:
        try:
            candidate = deal.capture(session, staging)
            if order.plan:
                return deal.plan(candidate)
            if deal.same is not None:
                return already(order, client, deal.same, candidate, progress)
            committed = deal.commit(candidate, session)
        finally:
            deal.drop()
    if not committed.created:
        same = Same(committed.version, committed.url)
        return already(order, client, same, candidate, progress)
    return settle(order, session, committed, candidate, deal, progress)


@contextmanager
def staging_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="cellship-") as folder:
        yield Path(folder)


def already(
    order: Order, client: Client, same: Same, candidate: Candidate, progress: Progress
) -> Deployed:
    """Nothing to ship: the service has it. The number of replicas is the deployment's own."""
    if order.replicas is not None:
        client.scale(order.name, order.replicas, origin.author())
    return Deployed(
        name=order.name,
        version=same.version,
        url=same.url,
        snapshot=candidate.digest,
        receipt=with_note(candidate, order).receipt,
        seconds=progress.seconds,
        created=False,
        marked_bad=same.marked_bad,
    )


def settle(
    order: Order,
    session: Session,
    committed: Committed,
    candidate: Candidate,
    deal: Deal,
    progress: Progress,
) -> Deployed:
    """Wait until the version that exists now answers, and say what is live."""
    standing = deal.standing
    with ship_errors.waiting(order, standing, committed):
        version = wait_started(session, committed, progress, standing)
    client = session.client_or_start()
    if version.state == "failed":
        raise ship_errors.did_not_start(version, standing)
    deployment = client.deployment(order.name)
    result = Deployed(
        name=order.name,
        version=committed.version,
        url=committed.url or deployment.url,
        snapshot=candidate.digest,
        receipt=with_note(candidate, order).receipt,
        state=version.state,
        seconds=progress.seconds,
        bytes_moved=deal.bytes_moved,
        candidate=committed.candidate,
        why_candidate="made with --traffic 0" if order.candidate else held(committed),
        live=deployment.live,
        previous=previous(committed, standing),
        first=not standing.versions,
        replicas=order.replicas,
        paused=standing.paused,
        packages_moved=deal.packages_moved,
        notes=notes(order.name, standing),
    )
    return compared(result, client) if result.previous is not None else result


def wait_started(
    session: Session, committed: Committed, progress: Progress, standing: Standing
) -> Version:
    """Ask until it has started, or has failed to; StillGoingOn after a quarter of an hour."""
    label = f"{committed.name}@{committed.version}"
    answers = f" ({standing.live} answers)" if standing.live else ""
    progress.step(f"starting {label}{answers}")
    client = session.client_or_start()
    if standing.paused:  # nothing of it starts before it is resumed
        return client.version(committed.name, str(committed.version))
    deadline = time.monotonic() + STARTED_WITHIN
    while time.monotonic() < deadline:
        version = client.version(committed.name, str(committed.version), wait=WAIT_STEP)
        if version.state != "starting":
            return version
        client = session.client_or_start()  # a supervisor that was killed starts nothing
    raise ship_errors.still_starting(label, standing)


def compared(result: Deployed, client: Client) -> Deployed:
    """With what changed since the version before, and whether that one stays warm."""
    try:
        changed = client.diff(result.name, str(result.previous), str(result.version)).changed
        before = client.version(result.name, str(result.previous))
    except CellshipError:  # it is live: a comparison that fails must not say otherwise
        return result
    return replace(result, changed=changed, previous_state=before.state)


def previous(committed: Committed, standing: Standing) -> int | None:
    """The number that answered before, None where nothing did."""
    if committed.previous is not None:
        return committed.previous
    return int(standing.live.rpartition("@")[2]) if standing.live else None


def held(committed: Committed) -> str:
    return "a rollback holds the traffic" if committed.hold else ""


def notes(name: str, standing: Standing) -> tuple[str, ...]:
    return (f"{name} is paused: %cellship resume {name}",) if standing.paused else ()

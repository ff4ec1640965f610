"""How a deploy that failed is told: first what answers now, then what was wrong and what to do."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager

from cellship.backend.client_answers import Committed, Version
from cellship.magics.deal import Deal
from cellship.magics.interrupts import Interrupted
from cellship.magics.order import Order, Standing
from cellship.snapshot.errors import CellshipError, StillGoingOn

LAST_LINES = 10


@contextmanager
def told(order: Order, standing: Standing, deal: Deal | None) -> Iterator[None]:
    """Every failure before the version exists: one headline, then the reason."""
    headline = f"{order.magic} {order.name}: not shipped.{standing.still}"
    try:
        yield
    except KeyboardInterrupt as error:
        raise interrupted(order, standing, deal.committed if deal else None) from error
    except CellshipError as error:
        raise headed(error, headline) from error
    except OSError as error:
        copying = CellshipError(f"Copying failed: {reason(error)}", code="deploy.copy")
        raise headed(copying, headline) from error


@contextmanager
def waiting(order: Order, standing: Standing, committed: Committed) -> Iterator[None]:
    """An interrupt once the version exists stops the waiting only."""
    try:
        yield
    except KeyboardInterrupt as error:
        raise interrupted(order, standing, committed) from error


def interrupted(order: Order, standing: Standing, committed: Committed | None) -> Interrupted:
    """What is true after an interrupt: before the commit nothing is left, after it all goes on."""
    if committed is None:
        what = "nothing was kept" if order.plan else "nothing shipped"
        return Interrupted(f"Interrupted: {what}.{standing.still}", code="deploy.interrupted")
    label = f"{committed.name}@{committed.version}"
    return Interrupted(
        f"Interrupted: {label} exists and goes on starting; it answers once it has started.",
        code="deploy.interrupted",
        hint=f"%cellship versions {order.name} shows it.",
    )


def headed(error: CellshipError, headline: str) -> CellshipError:
    """The same error under a headline."""
    first, *rest = error.message.splitlines() or [""]
    # the message may have a headline of its own: below ours its lines stand side by side
    reason_lines = [first, *textwrap.dedent("\n".join(rest)).splitlines()]
    return type(error)(
        "\n".join([headline, *(f"  {line}" for line in reason_lines)]),
        code=error.code,
        hint=error.hint,
        details=error.details,
        log_text=error.log_text,
        request_id=error.request_id,
    )


def still_starting(label: str, standing: Standing) -> StillGoingOn:
    name = label.partition("@")[0]
    return StillGoingOn(
        f"{label} has not started yet; it goes on without this cell.{standing.still}",
        code="deploy.still-starting",
        hint=f"%cellship versions {name} shows it, %cellship logs {name} what it prints.",
    )


def did_not_start(version: Version, standing: Standing) -> CellshipError:
    """`score@4 did not start; score@3 still answers all calls. …Last 10 lines: …`"""
    failure = version.failure or {}
    reason_text = str(failure.get("message") or "It gave no reason.")
    still = f"; {standing.live} still answers all calls." if standing.live else "."
    lines = [str(line) for line in failure.get("log") or ()][-LAST_LINES:]
    hint = [str(failure["hint"])] if failure.get("hint") else []
    if lines:
        hint += [f"Last {len(lines)} lines:", *(f"  {line}" for line in lines)]
    return CellshipError(
        f"{version.label} did not start{still} {reason_text}",
        code="deploy.did-not-start",
        hint="\n".join(hint) or f"%cellship logs {version.name} --version {version.version}",
    )


def reason(error: OSError) -> str:
    """`No space left on device: …/blobs/ab…`"""
    where = f": {error.filename}" if error.filename else ""
    return f"{error.strerror or error}{where}"

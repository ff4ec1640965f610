"""What moves traffic: each takes a deployment as it is and returns it as it is wanted.

EXPERIENCE.md 5. Pure: the workspace commits the result, and nothing when nothing is new.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from cellship.backend.workspace.deployment import Deployment, Mark
from cellship.backend.workspace.record import FAILED, OK, Record, Started
from cellship.backend.workspace.traffic import WHOLE, previous, resolve
from cellship.snapshot.errors import Refused, UsageProblem

# ways in which no person ships: a hold makes candidates of these
BOUND_BY_HOLD = frozenset({"schedule", "gate", "push"})
SCHEDULE = "schedule"


def candidate_because(deployment: Deployment, how: str, asked: bool) -> str:
    """Why a version that is made now becomes a candidate, "" if it takes the traffic."""
    if asked:
        return "asked for"
    if deployment.protect:
        return "the deployment is protected"
    if how == SCHEDULE:
        return "made in a scheduled run"
    if deployment.hold and how in BOUND_BY_HOLD:
        return f"hold {deployment.hold}"
    return ""


def deploy(deployment: Deployment, candidate: bool) -> Deployment:
    """A new version: it gets all the traffic and ends a hold, unless it is a candidate."""
    return deployment if candidate else replace(deployment, traffic=None, hold=None)


def rollback(record: Record, started: Started, to: int | None, by: Mark) -> Deployment:
    """Traffic to an older version; those left are marked bad, and a hold is set.

    Without `to` it goes to `previous`. The version named by `to` may carry a mark: it comes off.
    Raises Refused when there is nowhere to go.
    """
    answering = resolve(record.deployment, record.versions, started)
    target = _back(record, started, answering) if to is None else _named(record, started, to)
    if answering == {target: WHOLE}:
        return _without_mark(record.deployment, target)
    left = {number: by for number in answering if number > target}
    moved = _without_mark(record.deployment, target)
    return replace(moved, traffic={target: WHOLE}, bad={**moved.bad, **left}, hold=by)


def promote(record: Record, started: Started, number: int) -> Deployment:
    """All traffic to one version; its mark comes off, and a hold ends."""
    _named(record, started, number)
    alone = resolve(record.deployment, record.versions, started) == {number: WHOLE}
    traffic = record.deployment.traffic if alone else {number: WHOLE}
    return replace(_without_mark(record.deployment, number), traffic=traffic, hold=None)


def set_traffic(record: Record, started: Started, shares: Mapping[int, int]) -> Deployment:
    """A split by numbers; a hold ends. Shares are whole and add up to 100."""
    total = sum(shares.values())
    if total != WHOLE or any(share < 0 for share in shares.values()):
        raise UsageProblem(
            f"Shares are whole numbers that add up to {WHOLE}; these add up to {total}.",
            code="workspace.shares",
        )
    wanted = {number: shares[number] for number in sorted(shares) if shares[number]}
    for number in wanted:
        _named(record, started, number)
        _refuse_bad(record, number)
    return replace(record.deployment, traffic=wanted, hold=None)


def pause(deployment: Deployment, by: Mark) -> Deployment:
    """Nobody is answered until `resume`. The first pause stays the one on record."""
    return deployment if deployment.paused else replace(deployment, paused=by)


def resume(deployment: Deployment) -> Deployment:
    """A pause and a hold end; no traffic moves."""
    return replace(deployment, paused=None, hold=None)


def discard(record: Record, started: Started, number: int, by: Mark) -> Deployment:
    """A waiting candidate goes; its number stays used. Raises Refused for any other version."""
    version = record.version(number)
    answering = resolve(record.deployment, record.versions, started)
    if not version.candidate or version.named or number in answering:
        raise Refused(
            f"{record.label(number)} is not a waiting candidate; only those go one by one.",
            code="workspace.not-waiting",
            hint=f"%cellship delete {record.name} deletes all of its versions",
        )
    return replace(record.deployment, deleted={**record.deployment.deleted, number: by})


def _back(record: Record, started: Started, answering: Mapping[int, int]) -> int:
    target = previous(record.deployment, record.versions, started)
    if target is None:
        raise Refused(_nowhere(record, started, answering), code="workspace.nothing-older")
    return target


def _nowhere(record: Record, started: Started, answering: Mapping[int, int]) -> str:
    name = record.name
    if not answering:
        return f"No version of {name} answers; there is nothing to go back from."
    newest = max(answering)
    stops = f"%cellship pause {name} stops it."
    if len(record.versions) == 1:
        return f"{name} has only version {newest}; {stops}"
    older = [version.number for version in record.versions if version.number < newest]
    reasons = [_why_not(record, started, number) for number in older[:-4:-1]]
    if not reasons:
        return f"{record.label(newest)} is the oldest version of {name}; {stops}"
    return f"Nothing older than {record.label(newest)} can answer: {', '.join(reasons)}; {stops}"


def _why_not(record: Record, started: Started, number: int) -> str:
    if number in record.deployment.bad:
        return f"{record.label(number)} is marked bad"
    if started.get(number) != OK:
        return f"{record.label(number)} did not start"
    return f"{record.label(number)} is a candidate that never served"


def _named(record: Record, started: Started, number: int) -> int:
    """A version that somebody wants to answer: it exists and has started."""
    record.version(number)
    if started.get(number) == OK:
        return number
    label = record.label(number)
    if started.get(number) == FAILED:
        raise Refused(f"{label} did not start; it cannot answer.", code="workspace.did-not-start")
    raise Refused(
        f"{label} is still starting; nothing was moved.",
        code="workspace.still-starting",
        hint="Try again when it has started.",
    )


def _refuse_bad(record: Record, number: int) -> None:
    mark = record.deployment.bad.get(number)
    if mark:
        raise Refused(
            f"{record.label(number)} is marked bad {mark}.",
            code="workspace.marked-bad",
            hint=f"%cellship promote {record.label(number)} takes the mark off",
        )


def _without_mark(deployment: Deployment, number: int) -> Deployment:
    bad = {other: mark for other, mark in deployment.bad.items() if other != number}
    return replace(deployment, bad=bad)

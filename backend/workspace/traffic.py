"""Who answers: pure rules over git and first starts (DESIGN.md 3.2, EXPERIENCE.md 5).

Traffic is numbers or `latest`. Numbers answer as written. `latest` is the newest version that was
not made as a candidate, is not marked bad, and started. A commit that makes a version writes
`latest`, and counts only once that version has started: until then, and for good if it fails, what
was written before goes on. So from the newest version backwards, one that has not started leads to
what its commit replaced: the numbers of then (`VersionRecord.before`), or `latest` one version
further back. What follows from git and first starts alone; events say what answered when.

A version *served* if it started and had traffic: every ordinary one (its own commit gave it all),
and a candidate that a later commit named in numbers. An ordinary version that was overtaken while
it started counts as one that served; it could have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cellship.backend.workspace.deployment import Deployment
from cellship.backend.workspace.record import OK, Started
from cellship.backend.workspace.versions import VersionRecord

WHOLE = 100
Versions = Sequence[VersionRecord]


def resolve(deployment: Deployment, versions: Versions, started: Started) -> dict[int, int]:
    """Share of the calls by version number, adding up to 100; empty when nothing can answer.

    A pause does not change it: a paused deployment answers nobody, and goes on with this later.
    """
    if deployment.traffic is not None:
        return dict(deployment.traffic)
    newest = _newest_that_moved_traffic(versions, started)
    if newest is None:
        return {}
    if not has_started(newest, started):
        return dict(newest.before or {})
    good = latest(deployment, versions, started)
    return {} if good is None else {good: WHOLE}


def latest(deployment: Deployment, versions: Versions, started: Started) -> int | None:
    """The newest version that is no candidate, not marked bad, and started."""
    for version in _ordinary(versions):
        if version.number not in deployment.bad and has_started(version, started):
            return version.number
    return None


def live(shares: Mapping[int, int | float]) -> int | None:
    """The version with the largest share; of equal ones the newest."""
    return max(shares, key=lambda number: (shares[number], number), default=None)


def served(version: VersionRecord, started: Started) -> bool:
    """Whether a version had traffic at some time (see the top of this page)."""
    return has_started(version, started) and (version.named or not version.candidate)


def previous(deployment: Deployment, versions: Versions, started: Started) -> int | None:
    """Where a rollback goes: the newest older version that served and was not rolled away from.

    Of a split, the newest version is what a rollback leaves, and one that answers beside it comes
    before one that answers no more.
    """
    answering = resolve(deployment, versions, started)
    if not answering:
        return None
    older = [version for version in versions if version.number < max(answering)]
    good = [
        version.number
        for version in older
        if version.number not in deployment.bad and served(version, started)
    ]
    beside = [number for number in good if number in answering]
    return max(beside or good, default=None)


def equal_to_newest(
    deployment: Deployment,
    versions: Versions,
    started: Started,
    digest: str,
    settings: Mapping[str, Any],
) -> VersionRecord | None:
    """The newest ordinary version, if it is the same and answers alone: nothing to ship."""
    newest = next(_ordinary(versions), None)
    if newest is None or not same(newest, digest, settings):
        return None
    alone = resolve(deployment, versions, started) == {newest.number: WHOLE}
    return newest if alone else None


def equal_to_bad(
    deployment: Deployment, versions: Versions, digest: str, settings: Mapping[str, Any]
) -> VersionRecord | None:
    """The newest version that is the same, if it is marked bad: shipping it again moves nothing.

    An older equal that is marked bad does not count once a newer equal is good.
    """
    equal = [version for version in versions if same(version, digest, settings)]
    if not equal:
        return None
    return equal[-1] if equal[-1].number in deployment.bad else None


def same(version: VersionRecord, digest: str, settings: Mapping[str, Any]) -> bool:
    """Whether a version holds this snapshot with these settings (`settings.check`ed ones)."""
    return version.digest == digest and dict(version.settings) == dict(settings)


def has_started(version: VersionRecord, started: Started) -> bool:
    """Whether the first start of a version succeeded."""
    return started.get(version.number) == OK


def _newest_that_moved_traffic(versions: Versions, started: Started) -> VersionRecord | None:
    """The newest ordinary version that started, or whose commit replaced numbers."""
    for version in _ordinary(versions):
        if has_started(version, started) or version.before is not None:
            return version
    return None


def _ordinary(versions: Versions) -> Iterator[VersionRecord]:
    """Those not made as candidates, newest first."""
    return (version for version in reversed(versions) if not version.candidate)

"""What one deployment should look like on this host, from git, first starts and the clock alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cellship.backend.control.starts import FAILED, OK, PENDING, Start
from cellship.backend.workspace.deployment import Deployment
from cellship.backend.workspace.traffic import resolve
from cellship.backend.workspace.versions import VersionRecord

ROLLBACK_WINDOW = timedelta(minutes=60)
MOST_WARM = 3
# after a loss of the database every version's first start is tried again, the newest ones first
MOST_AT_ONCE = 2


@dataclass(frozen=True)
class Wanted:
    """`traffic`: who should answer. `run`: who should have a replica. `first`: not yet started.

    `resting`: whose replicas may stay although nobody needs them: those of a pause, so that its
    end is felt at once.
    """

    deployment: Deployment
    versions: tuple[VersionRecord, ...]
    traffic: Mapping[int, int]
    run: frozenset[int]
    first: frozenset[int]
    resting: frozenset[int] = frozenset()

    @property
    def keep(self) -> frozenset[int]:
        """Whose replicas are not drained."""
        return self.run | self.resting

    def record(self, number: int) -> VersionRecord:
        return next(version for version in self.versions if version.number == number)


def wanted(
    deployment: Deployment,
    versions: tuple[VersionRecord, ...],
    starts: Mapping[int, Start | None],
    answering: Mapping[int, int],
    now: datetime,
) -> Wanted:
    """Compare nothing, act on nothing: only say what is wanted."""
    results = {number: start.result if start else PENDING for number, start in starts.items()}
    traffic = resolve(deployment, versions, results)
    if deployment.replicas_max == 0:
        return Wanted(deployment, versions, traffic, frozenset(), frozenset())
    pending = [number for number, result in results.items() if result == PENDING]
    first = set(sorted(pending)[-MOST_AT_ONCE:])
    if deployment.paused:
        resting = frozenset(traffic) | frozenset(answering)
        return Wanted(deployment, versions, traffic, frozenset(first), frozenset(first), resting)
    alive = {number for number, result in results.items() if result != FAILED}
    run = set(traffic) | first | set(answering)
    run |= newest_candidate(deployment, versions, results, max(traffic, default=0))
    run |= warm(starts, now)
    return Wanted(deployment, versions, traffic, frozenset(run & alive), frozenset(first))


def newest_candidate(
    deployment: Deployment,
    versions: tuple[VersionRecord, ...],
    results: Mapping[int, str],
    answers: int,
) -> set[int]:
    """The candidate that waits for promotion: the newest, if nothing newer has the traffic."""
    waiting = [
        version.number
        for version in versions
        if version.candidate
        and results[version.number] == OK
        and version.number not in deployment.bad
    ]
    return {number for number in waiting[-1:] if number > answers}


def warm(starts: Mapping[int, Start | None], now: datetime) -> set[int]:
    """Versions that had traffic within the rollback window, the most recent ones."""
    left = {
        number: start.left_traffic
        for number, start in starts.items()
        if start and start.left_traffic and now - start.left_traffic < ROLLBACK_WINDOW
    }
    return set(sorted(left, key=left.__getitem__)[-MOST_WARM:])

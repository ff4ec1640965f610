"""`watch`: answers per second by version, drawn in text."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping

from cellship.backend.client import Client
from cellship.backend.client_answers import Counts
from cellship.magics.session import Session
from cellship.magics.surface import Lines

BAR = 24
SIGN = "█"
pause_for = time.sleep  # until the next question


class Watch:
    """Draws a line for each second that has passed, for `length` seconds. An interrupt ends it."""

    def __init__(
        self,
        session: Session,
        client: Client,
        name: str,
        length: float,
    ) -> None:
        self.lines = Lines(session.surface)
        self.client = client
        self.name = name
        self.length = length

    def run(self) -> None:
        try:
            self._run()
        except KeyboardInterrupt:
            pass  # the way to end it sooner
        finally:
            self.lines.draw()

    def _run(self) -> None:
        counts = self.client.counts(self.name)
        second, end = int(counts.now), counts.now + self.length
        while counts.now < end:
            pause_for(1.0)
            counts = self.client.counts(self.name)
            seen = by_second(counts)
            # the running second is not over: it is drawn when the next has begun
            self.lines.add([self._line(one, seen) for one in range(second, int(counts.now))])
            second = int(counts.now)

    def _line(self, second: int, seen: Mapping[int, Mapping[int, tuple[int, int]]]) -> str:
        return f"{clock(second)}  {bars(self.name, seen.get(second, {}))}".rstrip()


def by_second(counts: Counts) -> dict[int, dict[int, tuple[int, int]]]:
    """second -> version -> (answers, errors)"""
    found: dict[int, dict[int, tuple[int, int]]] = defaultdict(dict)
    for moment, version, asked, wrong in counts.seconds:
        before = found[int(moment)].get(version, (0, 0))
        found[int(moment)][version] = (before[0] + asked, before[1] + wrong)
    return found


def bars(name: str, versions: Mapping[int, tuple[int, int]]) -> str:
    """`digits@1 ████████ 120   digits@2 ██ 30 (2 errors)`; bars share their width by answers."""
    total = sum(asked for asked, _ in versions.values())
    if not total:
        return "no calls"
    return "   ".join(
        f"{name}@{version} {SIGN * max(1, round(BAR * asked / total))} {asked}{errors(wrong)}"
        for version, (asked, wrong) in sorted(versions.items())
        if asked
    )


def errors(count: int) -> str:
    return f" ({count} error{'s' if count > 1 else ''})" if count else ""


def clock(second: int) -> str:
    """The service's time of day in UTC."""
    return time.strftime("%H:%M:%SZ", time.gmtime(second))

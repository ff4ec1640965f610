"""Log lines as text, gaps included; and following them while they come."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from cellship.backend.client import Client
from cellship.magics.session import Session
from cellship.magics.surface import Lines

PAUSE = 0.5
pause_for = time.sleep  # until the next question
NOBODY_QUIET = 5.0  # without a front end, following ends after so long without a line,
NOBODY_MOST = 60.0  # and after so long at all


def shown(lines: Sequence[Mapping[str, Any]], as_json: bool) -> list[str]:
    """One text per line; a hole in the numbers of a replica is shown as one."""
    if as_json:
        return [json.dumps(line, ensure_ascii=False) for line in lines]
    return list(Numbered().texts(lines))


class Numbered:
    """Remembers the last number of each replica, so that a gap between two pages shows too."""

    def __init__(self) -> None:
        self.last: dict[str, int] = {}

    def texts(self, lines: Iterable[Mapping[str, Any]]) -> Iterator[str]:
        for line in lines:
            replica, number = str(line["replica"]), int(line["n"])
            missing = number - self.last.get(replica, number - 1) - 1
            if missing > 0:
                yield f"... {missing} lines of @{line['version']} ({replica}) are missing here ..."
            self.last[replica] = number
            yield line_text(line)


def line_text(line: Mapping[str, Any]) -> str:
    """`12:03:04Z @2 loading the model`; what went to stderr or a logger says so."""
    moment = str(line["time"])[11:19]
    level = line.get("level") or ("err" if line["stream"] == "err" else "")
    mark = f"{level} " if level else ""
    return f"{moment}Z @{line['version']} {mark}{line['text']}"


class Follow:
    """`logs -f`: in place in a notebook, line by line elsewhere; an interrupt ends it quietly."""

    def __init__(
        self,
        session: Session,
        client: Client,
        name: str,
        version: str | None,
        count: int,
        as_json: bool,
    ) -> None:
        self.session = session
        self.client = client
        self.name = name
        self.version = version
        self.count = count
        self.as_json = as_json
        self.lines = Lines(session.surface)
        self.numbered = Numbered()

    def run(self) -> None:
        try:
            self._run()
        except KeyboardInterrupt:
            if not self.session.in_notebook:
                raise
        finally:
            self.lines.draw()

    def _run(self) -> None:
        page = self.client.logs(self.name, version=self.version, limit=self.count)
        began = heard = time.monotonic()
        while True:
            self.lines.add(self._texts(page.lines))
            now = time.monotonic()
            heard = now if page.lines else heard
            if self._nobody_waits(now - began, now - heard):
                self.session.say(
                    "No front end to follow for; %cellship logs shows what comes later."
                )
                return
            pause_for(PAUSE)
            page = self.client.logs(self.name, version=self.version, after=page.next)

    def _texts(self, lines: Sequence[Mapping[str, Any]]) -> list[str]:
        return shown(lines, True) if self.as_json else list(self.numbered.texts(lines))

    def _nobody_waits(self, passed: float, quiet: float) -> bool:
        """In nbclient, papermill and the like a cell must end by itself."""
        if not self.session.surface.has_kernel or self.session.surface.has_front_end:
            return False
        return passed > NOBODY_MOST or quiet > NOBODY_QUIET

"""Which log folders belong to a deployment: each names its replica and version itself."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from cellship.backend.control.logs import Source, read

OWNER = "replica.json"


def note_owner(folder: Path, replica: str, name: str, version: int) -> None:
    """Say whose logs these are, before the first line is written."""
    folder.mkdir(parents=True, exist_ok=True)
    facts = {"replica": replica, "name": name, "version": version}
    (folder / OWNER).write_text(json.dumps(facts))


def sources(
    logs: Path, name: str, version: int | None, alive: Collection[str] = ()
) -> list[Source]:
    """The folders of a deployment, or of one of its versions, oldest first."""
    found = []
    for owner in sorted(logs.glob(f"*/{OWNER}"), key=lambda path: path.stat().st_mtime):
        facts = read_owner(owner)
        if facts.get("name") == name and version in (None, facts["version"]):
            replica = facts["replica"]
            ended = replica not in alive
            found.append(Source(replica, facts["version"], owner.parent, ended))
    return found


def last_lines(logs: Path, name: str, version: int, count: int) -> list[str]:
    """What the newest replica of a version printed last."""
    newest = sources(logs, name, version)[-1:]
    return [line.text for line in read(newest, limit=count).lines]


def read_owner(owner: Path) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = json.loads(owner.read_text())
    except (OSError, ValueError):
        return {}
    return facts

"""Which log folders belong to a deployment: each names its replica and version itself."""

from __future__ import annotations

import json
import shutil
from collections import Counter
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
    logs: Path, name: str, versions: Collection[int], alive: Collection[str] = ()
) -> list[Source]:
    """The folders of these versions, oldest first.

    Numbers are never used twice, so that a deployment does not show what one that was deleted
    under its name has printed.
    """
    found = []
    for owner in sorted(logs.glob(f"*/{OWNER}"), key=lambda path: path.stat().st_mtime):
        facts = read_owner(owner)
        if facts.get("name") == name and facts["version"] in versions:
            replica = facts["replica"]
            ended = replica not in alive
            found.append(Source(replica, facts["version"], owner.parent, ended))
    return found


def last_lines(logs: Path, name: str, version: int, count: int) -> list[str]:
    """What the newest replica of a version printed last."""
    newest = sources(logs, name, [version])[-1:]
    return [line.text for line in read(newest, limit=count).lines]


def prune(logs: Path, alive: Collection[str], keep: int) -> list[str]:
    """Remove the logs of all but the newest replicas of each version; the replicas' ids.

    A version that crashes at every start is tried again for as long as it is wanted.
    """
    kept: Counter[tuple[str, int]] = Counter()
    gone = []
    owners = sorted(logs.glob(f"*/{OWNER}"), key=lambda path: path.stat().st_mtime, reverse=True)
    for owner in owners:
        facts = read_owner(owner)
        if not facts or facts["replica"] in alive:
            continue
        kept[facts["name"], facts["version"]] += 1
        if kept[facts["name"], facts["version"]] > keep:
            shutil.rmtree(owner.parent, ignore_errors=True)
            gone.append(facts["replica"])
    return gone


def read_owner(owner: Path) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = json.loads(owner.read_text())
    except (OSError, ValueError):
        return {}
    return facts

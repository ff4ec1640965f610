"""Which log folders belong to a deployment: each names its replica and version itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

OWNER = "replica.json"


def replicas_of(logs: Path, name: str, version: int | None = None) -> list[dict[str, Any]]:
    """{"replica", "version", "folder"} of each replica that ever logged, oldest first."""
    found = []
    for owner in sorted(logs.glob(f"*/{OWNER}"), key=lambda path: path.stat().st_mtime):
        facts = read_owner(owner)
        if facts.get("name") == name and version in (None, facts.get("version")):
            found.append({**facts, "folder": owner.parent})
    return found


def read_owner(owner: Path) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = json.loads(owner.read_text())
    except (OSError, ValueError):
        return {}
    return facts


def read_logs(
    logs: Path, name: str, version: int | None, replica: str | None, after: str | None, limit: int
) -> dict[str, Any]:
    return {"lines": [], "next": after}


def last_lines(logs: Path, name: str, version: int, count: int) -> list[str]:
    return []

"""A version as git keeps it: an annotated tag `churn/v7` on the commit that made it.

The tag's message begins with the commit's subject, followed by lines of facts; `Candidate:` says
whether the version was made as a candidate, and why. A tag without it is not one of ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cellship.backend.workspace.names import clean

TAG = re.compile(r"refs/tags/([a-z0-9-]+)/v([1-9][0-9]{0,9})", re.ASCII)
NOT_A_CANDIDATE = "no"


@dataclass(frozen=True)
class VersionRecord:
    """One version. `created` is ISO 8601 in UTC; `candidate_because` is "" for an ordinary one.

    Two facts come from the history of deployment.yaml: `before` are the numbers that traffic was
    written as when this version was made (None: it was `latest`, or there was none), `named` says
    whether a commit ever gave this version a share by its number.
    """

    number: int
    digest: str
    created: str
    author: str
    message: str
    candidate: bool
    candidate_because: str
    notebook: str
    cell: int | None
    how: str
    bytes_moved: int
    lease: str
    commit: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[int, int] | None = None
    named: bool = False


@dataclass(frozen=True)
class VersionFacts:
    """What the tag of a version says beside author and time."""

    digest: str
    candidate_because: str = ""
    notebook: str = ""
    cell: int | None = None
    how: str = ""
    bytes_moved: int = 0
    lease: str = ""


def tag_name(name: str, number: int) -> str:
    """`churn/v7`, without `refs/tags/`."""
    return f"{name}/v{number}"


def one_line(text: str) -> str:
    """Text that cannot begin a line of facts of its own."""
    return " ".join(clean(text).split())


def tag_message(subject: str, facts: VersionFacts) -> str:
    """The message of the tag of a version."""
    lines = [
        one_line(subject),
        "",
        f"Candidate: {one_line(facts.candidate_because) or NOT_A_CANDIDATE}",
        f"Snapshot: {facts.digest}",
        f"Bytes-Moved: {facts.bytes_moved}",
    ]
    if facts.notebook:
        lines.append(f"Notebook: {one_line(facts.notebook)}")
    if facts.cell is not None:
        lines.append(f"Cell: {facts.cell}")
    if facts.lease:
        lines.append(f"Lease: {one_line(facts.lease)}")
    if facts.how:
        lines.append(f"How: {one_line(facts.how)}")
    return "\n".join(lines) + "\n"


def read_tag_message(message: str) -> tuple[str, VersionFacts] | None:
    """(subject, facts) of a version's tag, None for a tag that is not one of ours."""
    subject, _, body = message.partition("\n")
    found = dict(line.split(": ", 1) for line in body.split("\n") if ": " in line)
    if "Candidate" not in found or "Snapshot" not in found:
        return None
    because = found["Candidate"]
    facts = VersionFacts(
        digest=found["Snapshot"],
        candidate_because="" if because == NOT_A_CANDIDATE else because,
        notebook=found.get("Notebook", ""),
        cell=_number(found.get("Cell")),
        how=found.get("How", ""),
        bytes_moved=_number(found.get("Bytes-Moved")) or 0,
        lease=found.get("Lease", ""),
    )
    return subject, facts


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None

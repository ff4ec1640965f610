"""The words for a version: `7`, `v7`, `churn@7`, `live`, `previous`, `latest` (EXPERIENCE.md 2)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from cellship.backend.workspace.deployment import Deployment
from cellship.backend.workspace.names import check_name, did_you_mean, shown
from cellship.backend.workspace.record import Record, Started
from cellship.backend.workspace.traffic import latest, live, previous
from cellship.backend.workspace.versions import VersionRecord
from cellship.snapshot.errors import NotFound, UsageProblem

WORDS = ("live", "previous", "latest")
NUMBER = re.compile(r"v?([0-9]{1,9})", re.ASCII)


def split_name(text: str) -> tuple[str, str | None]:
    """("churn", "7") of `churn@7`; ("churn", None) of `churn`. Raises UsageProblem."""
    name, at, word = text.partition("@")
    check_name(name)
    if at and not word:
        raise UsageProblem(f"{name}@ names no version.", code="workspace.version-word")
    return name, word if at else None


def find_version(
    name: str,
    word: str,
    deployment: Deployment,
    versions: Sequence[VersionRecord],
    started: Started,
    answering: Mapping[int, int | float],
) -> int:
    """The number of the version that a word means; `answering` is who answers now, by share.

    Raises UsageProblem for a word that means none, NotFound where there is no such version.
    """
    record = Record(name, deployment, tuple(versions), "", "")
    word = _without_name(name, word)
    if digits := NUMBER.fullmatch(word):
        number = int(digits[1])
        if all(version.number != number for version in versions):
            raise record.no_version(str(number))
        return number
    if word not in WORDS:
        raise UsageProblem(
            f'"{shown(word)}" is no version of {name}.{did_you_mean(word, WORDS)}',
            code="workspace.version-word",
            hint=f"A version is 7, v7, {name}@7, live, previous or latest",
        )
    return _meaning(record, word, started, answering)


def _without_name(name: str, word: str) -> str:
    before, at, after = word.strip().partition("@")
    if not at:
        return before
    if before != name:
        raise UsageProblem(
            f'"{shown(word)}" is a version of {shown(before)}, not of {name}.',
            code="workspace.version-word",
        )
    return after


def _meaning(
    record: Record, word: str, started: Started, answering: Mapping[int, int | float]
) -> int:
    facts = record.deployment, record.versions, started
    if word == "live":
        number, none = live(answering), f"No version of {record.name} answers."
    elif word == "previous":
        number, none = previous(*facts), f"{record.name} has no version to roll back to."
    else:
        number, none = latest(*facts), f"{record.name} has no good version that started."
    if number is None:
        raise NotFound(none, code="workspace.no-version")
    return number

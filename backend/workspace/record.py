"""All that git says about one deployment, read at one commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cellship.backend.workspace.deployment import Deployment
from cellship.backend.workspace.names import did_you_mean, version_name
from cellship.backend.workspace.versions import VersionRecord
from cellship.snapshot.errors import NotFound

# How the first start of a version ended. One that is missing counts as pending.
Started = Mapping[int, str]
OK: Literal["ok"] = "ok"
FAILED: Literal["failed"] = "failed"
PENDING: Literal["pending"] = "pending"


@dataclass(frozen=True)
class Record:
    """A deployment and its versions, oldest first; `updated` is the time of its last commit."""

    name: str
    deployment: Deployment
    versions: tuple[VersionRecord, ...]
    updated: str
    commit: str

    def version(self, number: int) -> VersionRecord:
        """The version with this number. Raises NotFound."""
        for version in self.versions:
            if version.number == number:
                return version
        raise self.no_version(str(number))

    def no_version(self, word: str) -> NotFound:
        """The error for a version that does not exist."""
        numbers = [str(version.number) for version in self.versions]
        known = f"It has {version_range(numbers)}." if numbers else "It has no version yet."
        near = did_you_mean(word, numbers)
        return NotFound(
            f"{self.name} has no version {word}. {near.strip() or known}",
            code="workspace.no-version",
        )

    def label(self, number: int) -> str:
        """`churn@7`."""
        return version_name(self.name, number)


def version_range(numbers: list[str]) -> str:
    """`version 1` or `versions 1 to 7`, for a sentence."""
    if len(numbers) == 1:
        return f"version {numbers[0]}"
    return f"versions {numbers[0]} to {numbers[-1]}"

"""Names, versions and shares as they are typed (EXPERIENCE.md 2), and near misses."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cellship.snapshot.errors import UsageProblem

NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
VERSION = re.compile(r"v?([1-9][0-9]*)")
VERSION_WORDS = ("live", "previous", "latest")
DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|min|h)?")
DURATION_UNITS = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600}


@dataclass(frozen=True)
class Target:
    """`churn`, `churn@7`, `churn@live`. `version` is what the API takes: `7` or a word."""

    name: str
    version: str | None = None

    def __str__(self) -> str:
        return f"{self.name}@{self.version}" if self.version else self.name


def check_name(text: str) -> str:
    """The name, if it can be one. Raises UsageProblem with a near one that can."""
    if NAME.fullmatch(text):
        return text
    near = slug(text)
    advice = f" Try {near}." if near else " A name has small letters, digits and -."
    raise UsageProblem(f'"{shorten(text)}" cannot be a name.{advice}', code="line.name")


def slug(text: str) -> str:
    """The nearest text that can be a name, "" if nothing of it can stay."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:63].strip("-")


def shorten(text: str, most: int = 60) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def target(text: str) -> Target:
    """NAME or NAME@VERSION."""
    name, at, version = text.partition("@")
    return Target(check_name(name), version_word(version, text) if at else None)


def version_word(text: str, shown: str = "") -> str:
    """`7` for `7`, `v7` and `churn@7`; `live`, `previous` and `latest` as they are."""
    word = text.rpartition("@")[2]
    if word in VERSION_WORDS:
        return word
    if number := VERSION.fullmatch(word):
        return number[1]
    raise UsageProblem(
        f'"{shown or text}" names no version. Write churn@7, or live, previous, latest.',
        code="line.version",
    )


def shares(words: Sequence[str]) -> dict[str, int]:
    """`6=90 7=10`, or `latest=100`; percent that add up to 100."""
    given = dict(share(word) for word in words)
    if sum(given.values()) != 100:
        total = sum(given.values())
        raise UsageProblem(
            f"The shares add up to {total}; they are percent of the calls and must add up to 100.",
            code="line.shares",
        )
    return given


def share(word: str) -> tuple[str, int]:
    version, _, percent = word.partition("=")
    if not percent.rstrip("%").isdigit():
        raise UsageProblem(
            f'"{word}" is no share. Write VERSION=PERCENT: 6=90 7=10', code="line.shares"
        )
    number = "latest" if version == "latest" else version_word(version, word)
    return number, int(percent.rstrip("%"))


def duration(text: str) -> float:
    """Seconds of `20s`, `2m`, `1h`, `20`."""
    found = DURATION.fullmatch(text.strip())
    if found is None:
        raise UsageProblem(f'"{text}" is no length of time. Write 20s, 2m or 1h.', code="line.time")
    return float(found[1]) * DURATION_UNITS[found[2] or "s"]


def near(word: str, choices: Iterable[str]) -> list[str]:
    """Up to three of the choices that the word may have meant."""
    return difflib.get_close_matches(word, list(choices), n=3, cutoff=0.6)


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """`Did you mean rollback?`, or "" if nothing is near."""
    found = near(word, choices)
    return f"Did you mean {' or '.join(found)}?" if found else ""

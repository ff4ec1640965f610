"""Search text for secrets of known formats, before anything is committed: git is for good.

Only formats that carry their own mark are searched for (a prefix, a header). A guess by randomness
would find every digest in a snapshot.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from cellship.snapshot.secret_formats import FORMATS, PASSWORD, Format

VARIED = 6  # different characters at least: less is a placeholder such as AKIAXXXXXXXXXXXXXXXX
PLACEHOLDER = re.compile(
    r"example|placeholder|your[-_]|changeme|redacted|dummy|x{6}|\*{3}|0{8}|1234567", re.IGNORECASE
)
NO_PASSWORD = re.compile(
    r"(pass(word|wd)?|pw|pwd|secret|tiger|[$%{<\[(].*|x{3,}|\*+|\.{3})$", re.IGNORECASE
)
NOT_AWAY = re.compile(r"(localhost|127\.\d+\.\d+\.\d+|.*\bexample\b.*|host(name)?|[$%{<\[(].*)$")


@dataclass(frozen=True)
class Finding:
    """What looks like a secret. `masked` shows its first letters only."""

    kind: str
    line: int
    masked: str


def find_secrets(text: str) -> tuple[Finding, ...]:
    """Secrets of known formats in `text`, in the order of their lines (from 1)."""
    matches = [found for each in FORMATS for found in _matches(each, text)]
    if not matches:
        return ()
    ends = [line.end() for line in re.finditer("\n", text)]
    return tuple(
        Finding(kind, bisect_right(ends, start) + 1, f"{secret[:6]}…")
        for start, kind, secret in sorted(matches)
    )


def _matches(each: Format, text: str) -> Iterator[tuple[int, str, str]]:
    """Place, kind and text of each match that is no placeholder."""
    if not any(mark in text for mark in each.marks):
        return  # a search for a word is a hundred times quicker than one for a pattern
    for match in each.pattern.finditer(text):
        if not _is_placeholder(each, match):
            yield match.start(), each.kind, match[0]


def _is_placeholder(each: Format, match: re.Match[str]) -> bool:
    if each.kind == PASSWORD:
        named = match["password"]
        return bool(
            named == match["user"] or NO_PASSWORD.match(named) or NOT_AWAY.match(match["host"])
        )
    if each.kind == "private key":
        return False
    return len(set(match[0])) < VARIED or PLACEHOLDER.search(match[0]) is not None

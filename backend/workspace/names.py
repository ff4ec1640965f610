"""Names of deployments: a folder, a git ref, a DNS label and an image name (DESIGN.md 12)."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable

from cellship.snapshot.errors import NotFound, UsageProblem

LONGEST = 63
SHOWN = 40
NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)


def check_name(name: str) -> str:
    """`name` itself. Raises UsageProblem `workspace.name`, with a suggestion."""
    if NAME.fullmatch(name):
        return name
    suggestion = suggest(name)
    advice = f"Try {suggestion}." if suggestion else "Use letters a-z, digits and -."
    raise UsageProblem(f'"{shown(name)}" cannot be a name. {advice}', code="workspace.name")


def suggest(name: str) -> str:
    """The nearest possible name, "" when nothing of `name` can be kept."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")
    return words[:LONGEST].strip("-")


def shown(text: str) -> str:
    """Foreign text for a sentence: one line, printable, not longer than a glance."""
    line = "".join(char if char.isprintable() else " " for char in text)
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"


def clean(text: str) -> str:
    """Text that git and YAML can keep: lines and words, without what cannot be printed."""
    kept = "".join(char if char.isprintable() or char in "\n\t" else " " for char in text)
    return kept.encode("utf-8", "replace").decode()


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """` Did you mean digits?`, or "" when nothing is near."""
    near = difflib.get_close_matches(word.lower(), list(choices), n=1, cutoff=0.6)
    return f" Did you mean {near[0]}?" if near else ""


def no_deployment(name: str, existing: Iterable[str]) -> NotFound:
    """The error for a name that nothing is deployed under."""
    known = list(existing)
    near = did_you_mean(name, known) if known else " Nothing is deployed yet."
    return NotFound(f"There is no deployment {shown(name)}.{near}", code="workspace.no-deployment")


def version_name(name: str, number: int) -> str:
    """How a version is always printed: `churn@7`."""
    return f"{name}@{number}"

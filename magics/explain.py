"""`explain CODE`: what a code means, from the table of the room that uses it."""

from __future__ import annotations

import importlib
import textwrap
from functools import cache
from typing import Any

from cellship.magics.grammar import near
from cellship.snapshot.errors import NotFound

TABLES = (
    "cellship.magics.codes",
    "cellship.snapshot.codes",
    "cellship.snapshot.package_codes",
    "cellship.backend.control.codes",
    "cellship.backend.gateway.codes",
    "cellship.backend.store.codes",
    "cellship.backend.worker.codes",
    "cellship.backend.workspace.codes",
)
WIDTH = 96


def explanation(code: str) -> str:
    """Code, title and paragraphs. Raises NotFound with the codes nearby."""
    found = all_codes().get(code)
    if found is None:
        raise NotFound(f"There is no code {code}. {nearby(code)}".rstrip(), code="explain.unknown")
    title, text = found
    paragraphs = [textwrap.fill(" ".join(part.split()), WIDTH) for part in text.split("\n\n")]
    return "\n\n".join([f"{code}: {title}", *paragraphs])


def nearby(code: str) -> str:
    """Near codes, or those of the same family."""
    known = all_codes()
    family = [one for one in known if one.partition(".")[0] == code.partition(".")[0]]
    found = near(code, known) or sorted(family)
    return f"Near: {', '.join(found)}." if found else ""


@cache
def all_codes() -> dict[str, tuple[str, str]]:
    """code -> (title, text) of all rooms that are installed here."""
    merged: dict[str, tuple[str, str]] = {}
    for name in TABLES:
        for code, entry in table(name).items():
            merged.setdefault(code, title_and_text(entry))
    return merged


def table(name: str) -> dict[str, Any]:
    """The table of one room; empty where the room's own packages are not installed."""
    try:
        found: dict[str, Any] = importlib.import_module(name).CODES
    except ImportError:
        return {}
    return found


def title_and_text(entry: Any) -> tuple[str, str]:
    """A table's entry is a pair, or an object with `title` and `text`."""
    title, text = entry if isinstance(entry, tuple) else (entry.title, entry.text)
    return str(title), str(text)

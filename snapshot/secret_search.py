"""No secret of a known format leaves the notebook: what is committed to git is there for good."""

from __future__ import annotations

from pathlib import Path

from cellship.snapshot.draft import Draft
from cellship.snapshot.errors import CaptureRefused
from cellship.snapshot.items import Constant, Definition, Inner
from cellship.snapshot.refusal import Place
from cellship.snapshot.secrets import Finding, find_secrets

SEARCHED = 64 << 20  # bytes of one value's stream


def check_secrets(draft: Draft, folder: Path) -> None:
    """Raises CaptureRefused for a secret in the code, a value, or an example."""
    for item in draft.items:
        if isinstance(item, Constant | Definition | Inner):
            for found in find_secrets(item.text):
                raise refusal(found, item.key, item_place(item, found))
    for name, start, end in draft.stream.extents():
        text = draft.stream.data[start : min(end, start + SEARCHED)].decode("latin-1")
        for found in find_secrets(text):
            place = draft.walk.items[name].place if name in draft.walk.items else Place()
            raise refusal(found, name, place)
    for found in find_secrets((folder / "examples.json").read_text(encoding="utf-8")):
        raise refusal(found, "an example's arguments", Place())


def item_place(item: Constant | Definition | Inner, found: Finding) -> Place:
    if isinstance(item, Constant) or item.place.line is None:
        return item.place
    return Place(item.key, item.place.cell, item.place.line + found.line - 1)


def refusal(found: Finding, name: str, place: Place) -> CaptureRefused:
    where = f"    {place.text()}" if place.text() else ""
    return CaptureRefused(
        f"{name} holds what looks like a {found.kind} ({found.masked}).{where}\n"
        "  Versions are kept in git for good; a secret must not be in one.",
        code="capture.secret-in-value",
        hint="Read it where the endpoint runs, by os.environ[...], and delete it here.",
    )

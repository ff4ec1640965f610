"""What commits of the workspace say: a subject that reads like a sentence, then why, then facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cellship.backend.workspace.names import clean, version_name
from cellship.backend.workspace.versions import one_line

SUBJECT = 72


def version(label: str, title: str, body: str, notebook: str, cell: int | None, how: str) -> str:
    """`digits@2: changed predict, 1 line`, and where it was shipped from."""
    place = ", ".join(
        part
        for part in (one_line(notebook), "" if cell is None else f"cell {cell}", one_line(how))
        if part
    )
    facts = [f"Shipped-From: {place}"] if place else []
    return message(f"{label}: {one_line(title)}", body, facts)


def rollback(name: str, to: int, left: Iterable[int], because: str) -> str:
    """`Roll digits back to digits@1`."""
    facts = [f"Marked-Bad: {version_name(name, number)}" for number in sorted(left)]
    return message(f"Roll {name} back to {version_name(name, to)}", because, facts)


def traffic(name: str, shares: Mapping[int, int]) -> str:
    """`Split traffic of digits: digits@6 90, digits@7 10`."""
    parts = [f"{version_name(name, number)} {shares[number]}" for number in sorted(shares)]
    return message(f"Split traffic of {name}: {', '.join(parts)}", "", [])


def message(subject: str, body: str, facts: list[str]) -> str:
    """Paragraphs of a commit message; a subject that is too long is told in full below."""
    subject, body = clean(subject), clean(body)
    if len(subject) > SUBJECT:
        body = f"{subject}\n\n{body}".strip()
        subject = f"{subject[: SUBJECT - 1].rstrip()}…"
    parts = [subject, body.strip(), "\n".join(facts)]
    return "\n\n".join(part for part in parts if part) + "\n"

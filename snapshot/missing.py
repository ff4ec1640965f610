"""A name that nothing defines."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cellship.snapshot.errors import CaptureRefused
from cellship.snapshot.refusal import Place
from cellship.snapshot.statements import Statements


@dataclass(frozen=True)
class Missing:
    """A global that code reads and that does not exist."""

    name: str
    place: Place


def missing_name(
    missing: Missing, namespace: Mapping[str, Any], statements: Statements
) -> CaptureRefused:
    """The refusal: who reads it, where, what became of it, what was meant."""
    where = f"    {missing.place.text()}" if missing.place.text() else ""
    reader = missing.place.reader
    first = f"{reader} reads {missing.name}{where}" if reader != missing.name else missing.name
    gone = statements.deleted_in(missing.name)
    if gone is not None:
        fate = f"{missing.name} no longer exists: deleted in cell {gone.number}."
    else:
        fate = f"{missing.name} does not exist in this notebook."
    return CaptureRefused(
        f"{first}\n  {fate}", code="capture.missing-name", hint=hint(missing.name, namespace)
    )


def hint(name: str, namespace: Mapping[str, Any]) -> str:
    known = [other for other in namespace if not other.startswith("_")]
    near = difflib.get_close_matches(name, known, 2, 0.6)
    if near:
        return f"Did you mean {' or '.join(near)}? Else run the cell that defines {name} again."
    return f"Run a cell that defines {name}, then ship again."

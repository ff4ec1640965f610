"""Sizes, times and counts as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def size(count: int) -> str:
    """`512 B`, `2 KiB`, `1.9 MiB`, `71 MiB`."""
    if count < 1024:
        return f"{count} B"
    amount = float(count)
    power = 0
    while amount >= 1024 and power < len(UNITS) - 1:
        amount /= 1024
        power += 1
    return f"{short(amount)} {UNITS[power]}"


def short(amount: float) -> str:
    """One decimal below ten, none above; no `.0`."""
    return f"{amount:.1f}".removesuffix(".0") if amount < 9.95 else f"{amount:.0f}"


def seconds(amount: float) -> str:
    """`0.09 s`, `4.8 s`, `2 min 5 s`."""
    if amount < 0.1:
        return f"{amount:.2f} s"
    if amount < 60:
        return f"{amount:.1f} s"
    minutes, rest = divmod(round(amount), 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def count(number: int, noun: str) -> str:
    """`1 package`, `5 packages`, `1,204 calls`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def listed(words: Sequence[str], most: int = 4) -> str:
    """`a, b, c, d and 3 more`."""
    rest = len(words) - most
    shown = ", ".join(words[:most])
    return f"{shown} and {rest} more" if rest > 0 else shown


def ago(moment: str, now: datetime | None = None) -> str:
    """How long ago an ISO 8601 time was: `just now`, `3 min ago`; an odd text as it is."""
    try:
        then = datetime.fromisoformat(moment.replace("Z", "+00:00"))
    except ValueError:
        return moment
    then = then if then.tzinfo else then.replace(tzinfo=timezone.utc)
    passed = ((now or datetime.now(timezone.utc)) - then).total_seconds()
    for length, noun in ((86400, "day"), (3600, "hour"), (60, "min")):
        if passed >= length:
            whole = int(passed // length)
            return f"{whole} {noun}{'s' if whole > 1 and noun != 'min' else ''} ago"
    return "just now"

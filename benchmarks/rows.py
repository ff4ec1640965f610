"""One row per figure: what was measured, how often, how far apart the runs were."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]


def row(name: str, value: Any, unit: str, n: int, spread: Any, how: str) -> Row:
    """A row of latest.json. `value` is a number, or a list in the order of the issue's reach."""
    return {"id": name, "value": value, "unit": unit, "n": n, "spread": spread, "how": how}


def median(values: Sequence[float]) -> float:
    return round(statistics.median(values), 3)


def spread(values: Sequence[float]) -> list[float]:
    """The least and the largest of the runs."""
    return [round(min(values), 3), round(max(values), 3)]


def table(rows: Sequence[Row]) -> str:
    """The rows as a markdown table."""
    lines = ["| id | measured | runs | from - to | how |", "| --- | --- | --- | --- | --- |"]
    for each in rows:
        value = f"{words(each['value'])} {each['unit']}".strip()
        runs, apart = f"{each['n']:,}", words(each["spread"], " - ")
        cells = (
            f"`{each['id']}`",
            value,
            runs,
            apart,
            each["how"],
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def words(value: Any, between: str = " / ") -> str:
    """`[0, 0.31]` as `0 / 0.31`; a list of pairs as `1 - 2 / 3 - 4`."""
    if value is None:
        return ""
    if isinstance(value, list):
        nested = any(isinstance(each, list) for each in value)
        return (" / " if nested else between).join(words(each, " - ") for each in value)
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"

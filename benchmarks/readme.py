"""The README's table of figures, written from results/latest.json so that no figure is typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.rows import words

README = Path(__file__).resolve().parent.parent / "README.md"
RESULTS = Path(__file__).parent / "results" / "latest.json"
BEGIN, END = "<!-- figures, written by make bench -->", "<!-- end of figures -->"
MEANING = {
    "capture-74": "74 notebooks that people write: captured right / silently wrong",
    "first-deploy": "first deploy of a digits model into an empty data folder, to the first answer",
    "redeploy-same": "the same cell again: bytes moved / versions made / time",
    "rollback": "rollback under 8 connections, to the last answer of the version left",
    "drops": "requests failed in 3 deploys and 3 rollbacks under 8 connections / slowest answer",
    "gateway-b": "requests per second, FastAPI called directly being 1: at 1 / 8 / 64 connections",
}


def renew() -> None:
    """Put the figures that were measured last in place of those that stand there."""
    text = README.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    README.write_text(f"{before}{BEGIN}\n{figures(json.loads(RESULTS.read_text()))}\n{END}{after}")


def figures(results: dict[str, Any]) -> str:
    lines = ["| what | measured | runs | from - to |", "| --- | --- | --- | --- |"]
    for row in results["rows"]:
        value = f"{words(row['value'])} {row['unit']}".strip()
        cells = (
            MEANING.get(row["id"], row["id"]),
            value,
            f"{row['n']:,}",
            words(row["spread"], " - "),
        )
        lines.append(f"| {' | '.join(cells)} |")
    where = f"Measured with `make bench` on {results['machine']}, at commit {results['commit'][:7]}"
    return "\n".join([*lines, "", f"{where}{', with changes' if results['dirty'] else ''}."])

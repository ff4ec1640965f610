"""`make bench`: measure, print the table, write latest.json and the README's table from it."""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from benchmarks import readme
from benchmarks.machine import machine
from benchmarks.rows import Row, table

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).parent / "results" / "latest.json"
IDS = ("capture-74", "first-deploy", "redeploy-same", "rollback", "drops", "gateway-b")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", choices=IDS, help="measure this one again and keep the others")
    wanted = parser.parse_args().only
    started = datetime.now(timezone.utc).isoformat(timespec="seconds")
    rows = measured((wanted,) if wanted else IDS)
    kept = [row for row in earlier() if row["id"] not in {new["id"] for new in rows}]
    write(started, in_order(kept + rows))
    readme.renew()
    print(table(in_order(kept + rows)))
    return 0


def measured(ids: tuple[str, ...]) -> list[Row]:
    rows: list[Row] = []
    for each in ids:
        print(f"{each} ...", end=" ", file=sys.stderr, flush=True)
        began = time.monotonic()
        module = importlib.import_module(f"benchmarks.{each.replace('-', '_')}")
        rows += module.measure()
        print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    return rows


def earlier() -> list[Row]:
    if not RESULTS.exists():
        return []
    found: list[Row] = json.loads(RESULTS.read_text())["rows"]
    return found


def in_order(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: IDS.index(row["id"]) if row["id"] in IDS else len(IDS))


def write(started: str, rows: list[Row]) -> None:
    facts: dict[str, Any] = {
        "commit": git("rev-parse", "HEAD"),
        # what this file itself says does not count
        "dirty": bool(git("status", "--porcelain", "--", ".", ":!benchmarks/results")),
        "machine": machine(),
        "started": started,
        "rows": rows,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n")


def git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())

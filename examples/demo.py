"""`make demo`: run the quickstart notebook against this clone's service, and tell what happened."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

CLONE = Path(__file__).resolve().parent.parent
NOTEBOOK = CLONE / "examples" / "quickstart.ipynb"
RUN = CLONE / "build" / "quickstart.ipynb"
CELLSHIP = Path(sys.executable).with_name("cellship")
ROW = {"row": [5.1, 3.5, 1.4, 0.2]}
WIDTH = 100
HEAD = ("step", "took", "what it said")


def main() -> int:
    if subprocess.run([CELLSHIP, "up"], stdout=subprocess.DEVNULL).returncode:
        return 1
    print(f"Running {NOTEBOOK.relative_to(CLONE)} with papermill ...", flush=True)
    began = time.monotonic()
    failure = run()
    if failure:
        print(f"\nThe notebook stopped:\n{failure}\n\nWhat it showed: {RUN}", file=sys.stderr)
        return 1
    print(f"\n{table(json.loads(RUN.read_text()))}\n")
    took = time.monotonic() - began
    print(f"  all of it: {took:.1f} s; the notebook as it ran: build/quickstart.ipynb\n")
    print(farewell(address()))
    return 0


def run() -> str:
    """Execute the notebook; what stopped it, "" if nothing did."""
    RUN.parent.mkdir(exist_ok=True)
    RUN.unlink(missing_ok=True)
    # in a process of its own: what kernel and libraries log is shown only where it matters
    command = [sys.executable, "-m", "papermill", str(NOTEBOOK), str(RUN), "--cwd", str(CLONE)]
    done = subprocess.run(
        [*command, "--kernel", "python3", "--no-progress-bar"], capture_output=True, text=True
    )
    if not done.returncode:
        return ""
    return error_of(json.loads(RUN.read_text())) if RUN.exists() else done.stderr


def error_of(notebook: dict[str, Any]) -> str:
    """The message of the cell that raised."""
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", [])]
    errors = [
        f"{each['ename']}: {each['evalue']}" for each in outputs if each["output_type"] == "error"
    ]
    return "\n".join(errors)


def table(notebook: dict[str, Any]) -> str:
    """A row for each cell that tells a step of the story: what, how long, what it said."""
    steps = [cell for cell in notebook["cells"] if "step" in cell["metadata"]]
    rows = [(cell["metadata"]["step"], seconds(cell), said(cell)) for cell in steps]
    first = max(len(step) for step, _, _ in rows)
    rule = ("-" * first, "-" * 7, "-" * (WIDTH - first - 14))
    return "\n".join(line for row in [HEAD, rule, *rows] for line in laid_out(row, first))


def laid_out(row: tuple[str, str, str], first: int) -> list[str]:
    """A row in as many lines as its text needs."""
    step, took, text = row
    head, *rest = textwrap.wrap(text, WIDTH - first - 14) or [""]
    return [
        f"  {step:{first}}   {took:>7}   {head}",
        *(f"{'':{first + 15}}{line}" for line in rest),
    ]


def seconds(cell: dict[str, Any]) -> str:
    return f"{cell['metadata']['papermill']['duration']:.2f} s"


def said(cell: dict[str, Any]) -> str:
    """The first line of what the cell showed; the last where a cell says so."""
    text = "\n".join(shown(output) for output in cell["outputs"])
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return ""
    line = lines[-1] if cell["metadata"].get("tell") == "last" else lines[0]
    return " ".join(line.split())


def shown(output: dict[str, Any]) -> str:
    text = output.get("text") or output.get("data", {}).get("text/plain", "")
    return "".join(text)


def address() -> str:
    listed = subprocess.run([CELLSHIP, "deployments", "--json"], capture_output=True, check=True)
    found: dict[str, str] = {each["name"]: each["url"] for each in json.loads(listed.stdout)}
    return found["iris"]


def farewell(url: str) -> str:
    call = f"curl -s {url} -d '{json.dumps(ROW)}'"
    lines = (
        f"It is up. Call it:  {call}",
        "Open it:            make lab",
        "Stop it:            make down",
    )
    return "\n".join(f"  {line}" for line in lines)


if __name__ == "__main__":
    sys.exit(main())

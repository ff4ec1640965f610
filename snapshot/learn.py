"""What a worker's report says about an attempt: try again otherwise, or refuse."""

from __future__ import annotations

import sys
from typing import Any

from cellship.snapshot.draft import Draft
from cellship.snapshot.errors import CaptureRefused
from cellship.snapshot.items import Decisions, Definition

BY_VALUE = ("code", "bases", "metaclass", "type", "state")  # what no assignment can put right


def learn(
    report: dict[str, Any], decisions: Decisions, roots: dict[str, str], draft: Draft
) -> None:
    """Note what the next attempt does otherwise. Raises CaptureRefused if there is nothing to try."""
    problem = report.get("problem")
    if problem == "missing-module":
        add_root(report, roots)
    elif problem == "state":
        for difference in report["differences"]:
            decide(difference, decisions, draft)
    else:
        raise refusal(report)


def add_root(report: dict[str, Any], roots: dict[str, str]) -> None:
    module, where = report["module"], report.get("where") or "its first run"
    if module in roots or not known_here(module):
        raise CaptureRefused(
            f"A clean worker cannot import {module} ({where}).",
            code="capture.missing-module",
            hint=f"Install the package that has it in this kernel, then ship again: %pip install {module}",
        )
    roots[module] = f"seen at {where}"


def known_here(module: str) -> bool:
    if module in sys.modules:
        return True
    from importlib.util import find_spec

    try:
        return find_spec(module) is not None
    except (ImportError, ValueError, AttributeError):
        return False


def decide(difference: dict[str, str], decisions: Decisions, draft: Draft) -> None:
    """Set live state afterwards where that can be done; else the definition goes by value."""
    name, path = difference["name"], difference["path"]
    item = draft.walk.items.get(name)
    known = decisions.overlays.get(name, set()) | decisions.removed.get(name, set())
    hopeless = path in BY_VALUE or path.startswith("closure.") or path in known
    if not isinstance(item, Definition) or hopeless or any(
        overlay.path == f"{name}.{path}" for overlay in item.overlays
    ):
        decisions.by_value.add(name)
    elif difference["kind"] == "extra":
        decisions.removed.setdefault(name, set()).add(path)
    else:
        decisions.overlays.setdefault(name, set()).add(path)


def refusal(report: dict[str, Any]) -> CaptureRefused:
    if report.get("problem") == "refused":
        return CaptureRefused(report["message"], code=report["code"], hint=report.get("hint", ""))
    where = f" ({report['where']})" if report.get("where") else ""
    return CaptureRefused(
        f"A clean worker could not load it{where}: {report.get('message', 'it ended without a word')}",
        code="capture.fails-there",
        hint="What the code finds in this kernel, it did not find there: a file, a variable, a server.",
        log_text=str(report.get("traceback", "")),
    )

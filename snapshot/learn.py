"""What a worker's report says about an attempt: try again otherwise, or refuse."""

from __future__ import annotations

import sys
from typing import Any

from cellship.snapshot.draft import Draft
from cellship.snapshot.errors import CaptureRefused
from cellship.snapshot.items import Decisions, Definition
from cellship.snapshot.order import early_values

BY_VALUE = ("code", "bases", "metaclass", "type", "registry")  # what no assignment can put right


def learn(
    report: dict[str, Any], decisions: Decisions, roots: dict[str, str], draft: Draft
) -> None:
    """Note what to do otherwise next time. Raises CaptureRefused if there is nothing to try."""
    problem = report.get("problem")
    if problem == "missing-module":
        add_root(report, roots)
    elif problem == "state":
        for difference in report["differences"]:
            decide(difference, decisions, draft)
    else:
        raise refusal(report, draft)


def add_root(report: dict[str, Any], roots: dict[str, str]) -> None:
    module, where = report["module"], report.get("where") or "its first run"
    if module in roots or not known_here(module):
        raise CaptureRefused(
            f"A clean worker cannot import {module} ({where}).",
            code="capture.missing-module",
            hint=f"Install the package that has it, then ship again: %pip install {module}",
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
    if difference["kind"] == "value":
        keep_value(name, decisions, draft)
        return
    item = draft.walk.items.get(name)
    known = decisions.overlays.get(name, set()) | decisions.removed.get(name, set())
    hopeless = path in BY_VALUE or path.startswith(("closure.", "state.")) or path in known
    if (
        not isinstance(item, Definition)
        or hopeless
        or any(overlay.path == f"{name}.{path}" for overlay in item.overlays)
    ):
        decisions.by_value.add(name)
    elif difference["kind"] == "extra":
        decisions.removed.setdefault(name, set()).add(path)
    else:
        decisions.overlays.setdefault(name, set()).add(path)


def keep_value(name: str, decisions: Decisions, draft: Draft) -> None:
    """A definition changed this value by running again: those that could go by value instead."""
    makers = set(early_values(draft.walk.items).get(name, ())) - decisions.by_value
    if not makers:
        raise changes_by_itself(name)
    decisions.by_value |= makers
    decisions.watched.add(name)


def changes_by_itself(name: str) -> CaptureRefused:
    return CaptureRefused(
        f"{name} comes out differently when the code around it is loaded.",
        code="capture.changes-by-itself",
        hint="Look for a decorator, or code in a class, that counts or registers when it runs.",
    )


def said_there(report: dict[str, Any], draft: Draft) -> str:
    """The line of source.py where it stopped."""
    number = str(report["where"]).rpartition(" ")[2]
    lines = draft.source.splitlines()
    if not number.isdigit() or not 0 < int(number) <= len(lines):
        return ""
    return f": {lines[int(number) - 1].partition('  #')[0].strip()}"


def refusal(report: dict[str, Any], draft: Draft) -> CaptureRefused:
    if report.get("problem") == "refused":
        return CaptureRefused(report["message"], code=report["code"], hint=report.get("hint", ""))
    said = report.get("message") or "it ended without a word"
    where = f" ({report['where']}{said_there(report, draft)})" if report.get("where") else ""
    return CaptureRefused(
        f"A clean worker could not load it{where}: {said}",
        code="capture.fails-there",
        hint="What the code finds in this kernel, it did not find there: a file, a variable.",
        log_text=str(report.get("traceback", "")),
    )

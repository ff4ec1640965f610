"""Verb `admit`: a snapshot is loaded, compared with the live one, and its examples are called."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import traceback
from types import ModuleType
from typing import Any, Dict, List, Mapping

from .examples import Examples
from .execute import one_line, user_frames
from .restore import Restored, restore
from .schema import derive
from .signature import Unservable

Report = Dict[str, Any]


def admit(job: Mapping[str, Any]) -> Report:
    """{"ok": True, "schema", "answers", "notes", "isolation"}, or what stands in the way."""
    try:
        return examine(job)
    except Unservable as error:
        return refusal(error.code, error.message, error.hint)
    except ModuleNotFoundError as error:
        return missing_module(error)
    except BaseException as error:  # SystemExit of user code included: it must reach the notebook
        return raised(error)


def examine(job: Mapping[str, Any]) -> Report:
    restored = restore(job["snapshot"])
    differences = state_differences(job, restored)
    if differences:
        return {"ok": False, "problem": "state", "differences": differences}
    entry = eval(compile(job["settings"]["entry"], "<entry>", "eval"), restored.namespace)
    schema = derive(entry, restored.namespace)
    answers = Examples(job, restored).answers() if job.get("example_run", True) else []
    return {
        "ok": True,
        "schema": {"format": 1, "methods": {"": schema}},
        "answers": answers,
        "notes": [],
        "isolation": ["isolated packages"],
    }


def state_differences(job: Mapping[str, Any], restored: Restored) -> List[Dict[str, str]]:
    """What running source.py did not reproduce. Nothing, where no live digests came along."""
    path = os.path.join(job.get("admit") or "", "state.json")
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        wanted = json.load(file)
    state = travelling(job["admit"], "state")
    found: List[Dict[str, str]] = []
    for name, live in wanted["definitions"].items():
        found += differences(name, live, state.describe(restored.namespace[name]))
    for name, live in wanted["values"].items():
        if state.digest(restored.namespace[name]) != live:
            found.append({"name": name, "path": "", "kind": "value"})
    return found


def differences(
    name: str, live: Mapping[str, str], here: Mapping[str, str]
) -> List[Dict[str, str]]:
    """Paths whose digests differ: `changed`, `missing` here, or `extra` here."""
    found = []
    for path in sorted({*live, *here}):
        if live.get(path) != here.get(path):
            kind = "missing" if path not in here else "extra" if path not in live else "changed"
            found.append({"name": name, "path": path, "kind": kind})
    return found


def travelling(folder: str, name: str) -> ModuleType:
    """A module that came along with the candidate, so that kernel and worker compare alike."""
    spec = importlib.util.spec_from_file_location(
        "_cellship." + name, os.path.join(folder, name + ".py")
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def refusal(code: str, message: str, hint: str) -> Report:
    return {"ok": False, "problem": "refused", "code": code, "message": message, "hint": hint}


def missing_module(error: ModuleNotFoundError) -> Report:
    if not error.name:
        return raised(error)
    return {
        "ok": False,
        "problem": "missing-module",
        "module": error.name,
        "where": where(error),
    }


def raised(error: BaseException) -> Report:
    frames = user_frames(error)
    text = "".join(traceback.format_exception(type(error), error, frames))
    return {
        "ok": False,
        "problem": "raised",
        "message": one_line(error),
        "traceback": text,
        "where": where(error),
    }


def where(error: BaseException) -> str:
    """`source.py line 12`: the innermost line of the user's own code."""
    steps = traceback.extract_tb(error.__traceback__)
    own = [step for step in steps if step.filename == "source.py"]
    return "source.py line {}".format(own[-1].lineno) if own else ""

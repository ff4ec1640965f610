"""Where a worker stands: variables, folders, captured files."""

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import Any, Dict, List, Mapping


def prepare(job: Mapping[str, Any]) -> None:
    """Make job's variables and folders this process's own; user code has not run yet."""
    os.environ.update(job.get("env") or {})
    own_folders(job)
    place_files(job["snapshot"], job["work"])
    os.chdir(job["work"])
    sys.stdin = open(os.devnull)  # noqa: SIM115 - it stays open
    sys.argv = [""]


def own_folders(job: Mapping[str, Any]) -> None:
    for key, names in (("home", ("HOME",)), ("tmp", ("TMPDIR",)), ("work", ())):
        if job.get(key):
            os.makedirs(job[key], exist_ok=True)
            os.environ.update({name: str(job[key]) for name in names})
    # figures are drawn without a screen unless the snapshot's own variables say otherwise
    os.environ.setdefault("MPLBACKEND", "Agg")


def place_files(snapshot: str, work: str) -> None:
    """Copy captured files to their paths below `work`: user code may write to them."""
    for entry in captured_files(snapshot):
        target = inside(work, entry["path"])
        if not os.path.exists(target):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copyfile(os.path.join(snapshot, "files", entry["name"]), target)


def captured_files(snapshot: str) -> List[Dict[str, Any]]:
    manifest = os.path.join(snapshot, "files", "manifest.json")
    if not os.path.exists(manifest):
        return []
    with open(manifest, encoding="utf-8") as file:
        found: List[Dict[str, Any]] = json.load(file)["files"]
    return found


def inside(work: str, path: str) -> str:
    """The absolute place of a relative path. Raises ValueError if it would leave `work`."""
    base = os.path.realpath(work)
    target = os.path.realpath(os.path.join(base, path))
    if target != base and not target.startswith(base + os.sep):
        raise ValueError("a captured file may not lie outside the worker's folder: " + path)
    return target

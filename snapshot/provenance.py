"""provenance.json: how a snapshot came to be. No part of its identity."""

from __future__ import annotations

import ast
import platform
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

from cellship.snapshot.cells import CellRecord
from cellship.snapshot.draft import Draft
from cellship.snapshot.names import dotted
from cellship.snapshot.packages import Packages
from cellship.snapshot.request import CaptureRequest

READERS = frozenset({"os.environ.get", "environ.get", "os.getenv", "getenv"})


def provenance(
    draft: Draft,
    request: CaptureRequest,
    record: CellRecord,
    packages: Packages,
    roots: Mapping[str, str],
) -> dict[str, Any]:
    """What is known of the notebook, its cells, the packages and the machine."""
    return {
        "format": 1,
        "captured": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "notebook": str(request.notebook) if request.notebook else None,
        "how": request.how,
        "cell": request.cell,
        "cells": list(cells(draft, record)),
        "modules": dict(roots),
        "packages": {tree.name: tree.why for tree in packages.trees},
        "environment_variables": sorted(set(environment_variables(draft))),
        "python": sys.version,
        "platform": platform.platform(),
    }


def cells(draft: Draft, record: CellRecord) -> Iterator[dict[str, Any]]:
    """Cells in the order in which they ran, and whether the entry reaches them."""
    reached = {item.place.cell for item in draft.items}
    for cell in record.cells:
        yield {
            "number": cell.number,
            "order": cell.order,
            "succeeded": cell.succeeded,
            "reached": cell.number in reached,
            "cwd": cell.cwd,
        }


def environment_variables(draft: Draft) -> Iterator[str]:
    """Names that `os.environ["X"]`, `.get("X")` and `os.getenv("X")` read; never their values."""
    for item in draft.code():
        for node in ast.walk(ast.parse(item.text)):
            match node:
                case ast.Subscript(value=value, slice=ast.Constant(value=str(name))):
                    if dotted(value) in ("os.environ", "environ"):
                        yield name
                case ast.Call(func=function, args=[ast.Constant(value=str(name)), *_]):
                    if dotted(function) in READERS:
                        yield name

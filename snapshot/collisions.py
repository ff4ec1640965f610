"""Two trees with one path and other bytes cannot be one environment."""

from __future__ import annotations

import filecmp
import os
from collections.abc import Sequence

from cellship.snapshot.errors import CaptureRefused
from cellship.snapshot.tree_files import TreeFile
from cellship.snapshot.trees import TreePlan


def check_collisions(plans: Sequence[TreePlan]) -> None:
    """Raises CaptureRefused if two trees disagree about a file."""
    owners: dict[str, tuple[TreePlan, TreeFile]] = {}
    for plan in plans:
        for file in plan.files:
            other, first = owners.setdefault(file.path, (plan, file))
            if other is not plan and not _same(first, file):
                raise _collision(other, plan, file)


def _same(one: TreeFile, other: TreeFile) -> bool:
    if one.data is not None or other.data is not None:
        return one.data == other.data
    if os.path.samefile(one.source, other.source):
        return True
    return filecmp.cmp(one.source, other.source, shallow=False)


def _collision(one: TreePlan, other: TreePlan, file: TreeFile) -> CaptureRefused:
    return CaptureRefused(
        f"{one.name} {one.version} and {other.name} {other.version} both bring {file.path}, "
        f"with different content ({one.why}; {other.why}).".replace("  ", " "),
        code="capture.packages-collide",
        hint=f"Rename the local file {file.source}, or uninstall one of the two packages.",
    )

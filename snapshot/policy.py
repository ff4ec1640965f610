"""`--packages`: which distributions ship, beyond those that the code names."""

from __future__ import annotations

from pathlib import Path

from cellship.snapshot.closure import close
from cellship.snapshot.distributions import Installed
from cellship.snapshot.reach import Reached
from cellship.snapshot.requirements import asked_for, check_installed
from cellship.snapshot.soft_imports import soft_imports


def wanted(
    reached: Reached, policy: str, installed: Installed, cwd: Path
) -> tuple[dict[str, str], list[str]]:
    """Distribution names with the reason for each, and notes for the receipt."""
    if policy == "all":
        closure = close(reached.distributions, installed)
        return {**closure.why, **_everything(closure.why, installed)}, []
    if policy not in ("closure", "closure+loaded"):
        return _by_file(reached, cwd / policy, installed)
    closure = close(reached.distributions, installed)
    absent = [f"{name}, {why}, is not installed here" for name, why in closure.absent.items()]
    if policy == "closure+loaded":
        closure = close({**closure.why, **soft_imports(closure.why, installed)}, installed)
    return closure.why, absent


def _everything(known: dict[str, str], installed: Installed) -> dict[str, str]:
    return {each.name: "--packages all" for each in installed if each.name not in known}


def _by_file(
    reached: Reached, file: Path, installed: Installed
) -> tuple[dict[str, str], list[str]]:
    asked = asked_for(file)
    check_installed(asked, installed)
    roots, extras = {}, {}
    for one in asked:
        distribution = installed.get(one.requirement.name)
        if distribution is not None:
            roots[distribution.name] = one.where
            extras[distribution.name] = one.requirement.extras
    closure = close(roots, installed, extras)
    return closure.why, [
        f"{name} is used ({why}), but {file.name} does not name it: it is not shipped"
        for name, why in reached.distributions.items()
        if name not in closure.why
    ]

"""Packages that the shipped ones have imported in this kernel without requiring them.

`joblib` uses `psutil` if it is there. What an example does not prove is shipped as well
(EXPERIENCE.md 4); seen from the loaded modules, because only those tell what was used here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from types import ModuleType

from cellship.snapshot.distributions import Distribution, Installed
from cellship.snapshot.modules import module_file


def soft_imports(names: Iterable[str], installed: Installed) -> dict[str, str]:
    """Distributions (name -> why) that the loaded modules of `names`, and then theirs, refer to."""
    owners = _owners_of_loaded(installed)
    known, found = set(names), dict[str, str]()
    todo = list(known)
    while todo:
        name = todo.pop()
        for other in _referred(name, owners):
            if other.name not in known:
                known.add(other.name)
                found[other.name] = f"loaded by {name} in this kernel"
                todo.append(other.name)
    return found


def _owners_of_loaded(installed: Installed) -> dict[str, Distribution]:
    """Module name -> distribution, for all loaded modules that have one."""
    owners = {}
    for name, module in list(sys.modules.items()):
        file = module_file(module) if isinstance(module, ModuleType) else ""
        owner = installed.owner(file) if file else None
        if owner:
            owners[name] = owner
    return owners


def _referred(name: str, owners: dict[str, Distribution]) -> Iterator[Distribution]:
    for module, owner in owners.items():
        if owner.name != name:
            continue
        for value in list(vars(sys.modules[module]).values()):
            other = owners.get(_home(value))
            if other and other.name != name:
                yield other


def _home(value: object) -> str:
    """The module that a module, class or function of a namespace comes from."""
    if isinstance(value, ModuleType):
        return value.__name__
    home = getattr(value, "__module__", None) if callable(value) else None
    return home if isinstance(home, str) else ""

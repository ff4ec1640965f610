"""What distributions need: `Requires-Dist` with this environment's markers, extras carried."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from packaging.requirements import InvalidRequirement, Requirement

from cellship.snapshot.distributions import Distribution, Installed


@dataclass
class Closure:
    """Distributions with the reason for each, in the order they were reached."""

    why: dict[str, str] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)  # required, not installed


def close(
    roots: Mapping[str, str],
    installed: Installed,
    extras: Mapping[str, Iterable[str]] | None = None,
) -> Closure:
    """Everything that the distributions `roots` (name -> why) need, themselves first."""
    closure = Closure(dict(roots))
    todo = deque((name, frozenset((extras or {}).get(name, ()))) for name in roots)
    seen: set[tuple[str, frozenset[str]]] = set()
    while todo:
        name, wanted = todo.popleft()
        distribution = installed.get(name)
        if distribution is None or (name, wanted) in seen:
            continue
        seen.add((name, wanted))
        for requirement in needed(distribution, wanted):
            todo.extend(_reach(requirement, distribution, installed, closure))
    return closure


def _reach(
    requirement: Requirement, by: Distribution, installed: Installed, closure: Closure
) -> list[tuple[str, frozenset[str]]]:
    found = installed.get(requirement.name)
    if found is None:
        closure.absent.setdefault(requirement.name, f"required by {by.shown}")
        return []
    closure.why.setdefault(found.name, f"required by {by.shown}")
    return [(found.name, frozenset(requirement.extras))]


def needed(distribution: Distribution, extras: Iterable[str]) -> list[Requirement]:
    """The requirements of a distribution that hold here, with these of its extras."""
    return [
        requirement
        for requirement in map(_parse, distribution.requires)
        if requirement is not None and holds(requirement, extras)
    ]


def holds(requirement: Requirement, extras: Iterable[str] = ()) -> bool:
    """Whether a requirement's marker is true here."""
    if requirement.marker is None:
        return True
    return any(requirement.marker.evaluate({"extra": extra}) for extra in ("", *extras))


def _parse(line: str) -> Requirement | None:
    try:
        return Requirement(line)
    except InvalidRequirement:  # metadata from before the rules
        return None

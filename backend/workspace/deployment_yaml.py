"""deployment.yaml, read and written.

    traffic:          latest: 100, or numbers: {6: 90, 7: 10}
    hold:             by, at, why; versions that no person deployed become candidates
    bad:              {2: {by, at, why}}; rolled away from
    paused:           by, at, why
    deleted:          {8: {by, at, why}}; candidates that were discarded, their numbers stay used
    protect: true     every new version becomes a candidate
    replicas:         min, max
    access:           open or token; without it, what the address that is bound asks for
    keep:             {versions: 20, days: 90}
    description:      text

A key that is not in this list is refused, with the nearest one: a setting that has no effect is
worse than an error, and a file of a newer Cellship must not be half understood.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import yaml

from cellship.backend.workspace.deployment import Deployment, Mark
from cellship.backend.workspace.names import did_you_mean, shown
from cellship.backend.workspace.yaml_text import dump, load
from cellship.snapshot.errors import CellshipError

WHOLE = 100


class BadFile(CellshipError):
    """A file of the workspace that cannot be understood; the sentence names the key."""

    exit_code = 4

    def __init__(self, message: str) -> None:
        super().__init__(f"deployment.yaml: {message}", code="workspace.bad-file")


def to_yaml(deployment: Deployment) -> str:
    """The text of deployment.yaml: traffic, then whatever differs from a fresh deployment."""
    return dump(as_mapping(deployment))


def from_yaml(text: str) -> Deployment:
    """The deployment that the text describes. Raises BadFile."""
    try:
        loaded = load(text)
    except (yaml.YAMLError, ValueError) as error:
        raise BadFile(f"not YAML ({str(error).splitlines()[0]})") from error
    return from_mapping({} if loaded is None else loaded)


def from_mapping(loaded: object) -> Deployment:
    """The deployment that a mapping of plain values describes. Raises BadFile."""
    return changed(Deployment(), loaded)


def changed(deployment: Deployment, loaded: object) -> Deployment:
    """`deployment` with the keys of `loaded` in place of its own. Raises BadFile."""
    if not isinstance(loaded, Mapping):
        raise BadFile("keys and values wanted")
    found: dict[str, Any] = {}
    for key, value in loaded.items():
        if key not in _READERS:
            raise BadFile(f"unknown key {shown(str(key))}.{did_you_mean(str(key), _READERS)}")
        found |= _READERS[key](value)
    return replace(deployment, **found)


def as_mapping(deployment: Deployment) -> dict[str, Any]:
    """Plain values, as in the file."""
    out: dict[str, Any] = {"traffic": traffic_mapping(deployment)}
    if deployment.hold:
        out["hold"] = _mark_mapping(deployment.hold)
    if deployment.bad:
        out["bad"] = _marks_mapping(deployment.bad)
    if deployment.paused:
        out["paused"] = _mark_mapping(deployment.paused)
    if deployment.deleted:
        out["deleted"] = _marks_mapping(deployment.deleted)
    if deployment.protect:
        out["protect"] = True
    if (deployment.replicas_min, deployment.replicas_max) != (1, 1):
        out["replicas"] = {"min": deployment.replicas_min, "max": deployment.replicas_max}
    if deployment.access:
        out["access"] = deployment.access
    if deployment.keep:
        out["keep"] = dict(deployment.keep)
    if deployment.description:
        out["description"] = deployment.description
    return out


def traffic_mapping(deployment: Deployment) -> dict[Any, int]:
    """`{"latest": 100}` or `{6: 90, 7: 10}`."""
    if deployment.traffic is None:
        return {"latest": WHOLE}
    return {number: deployment.traffic[number] for number in sorted(deployment.traffic)}


def _marks_mapping(marks: Mapping[int, Mark]) -> dict[int, dict[str, str]]:
    return {number: _mark_mapping(marks[number]) for number in sorted(marks)}


def _mark_mapping(mark: Mark) -> dict[str, str]:
    plain = {"by": mark.by, "at": mark.at}
    return plain | {"why": mark.why} if mark.why else plain


def _traffic(value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise BadFile("traffic: `latest: 100`, or shares by version number, wanted")
    if dict(value) == {"latest": WHOLE}:
        return {"traffic": None}
    shares = {_number(key, "traffic"): _share(share) for key, share in value.items()}
    if sum(shares.values()) != WHOLE:
        raise BadFile(f"traffic: shares that add up to {WHOLE} wanted, got {sum(shares.values())}")
    return {"traffic": {number: share for number, share in shares.items() if share}}


def _share(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= WHOLE:
        raise BadFile(f"traffic: a whole share from 0 to {WHOLE} wanted, got {shown(str(value))}")
    return value


def _number(value: object, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise BadFile(f"{where}: the number of a version wanted, got {shown(str(value))}")
    return value


def _mark(value: object, where: str) -> Mark | None:
    if value is None:
        return None
    if not isinstance(value, Mapping) or not {"by", "at"} <= set(value) <= {"by", "at", "why"}:
        raise BadFile(f"{where}: by, at and why wanted")
    return Mark(_text(value["by"]), _time(value["at"]), _text(value.get("why")))


def _marks(value: object, where: str) -> dict[int, Mark]:
    if not isinstance(value, Mapping):
        raise BadFile(f"{where}: marks by version number wanted")
    marks = {_number(key, where): _mark(mark, f"{where} {key}") for key, mark in value.items()}
    return {number: mark for number, mark in marks.items() if mark is not None}


def _time(value: object) -> str:
    """YAML reads an unquoted time as a date; the file may be edited by hand."""
    return value.isoformat() if isinstance(value, datetime | date) else _text(value)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _flag(value: object) -> dict[str, Any]:
    if not isinstance(value, bool):
        raise BadFile(f"protect: true or false wanted, got {shown(str(value))}")
    return {"protect": value}


def _replicas(value: object) -> dict[str, Any]:
    if isinstance(value, Mapping) and set(value) <= {"min", "max"}:
        least = _count(value.get("min", value.get("max", 1)))
        most = _count(value.get("max", least))
    else:
        least = most = _count(value)
    if least > most:
        raise BadFile(f"replicas: min {least} is more than max {most}")
    return {"replicas_min": least, "replicas_max": most}


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise BadFile(f"replicas: a number from 0 wanted, got {shown(str(value))}")
    return value


def _access(value: object) -> dict[str, Any]:
    if value not in (None, "open", "token"):
        raise BadFile(f"access: open or token wanted, got {shown(str(value))}")
    return {"access": value}


def _keep(value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise BadFile("keep: limits such as {versions: 20, days: 90} wanted")
    return {"keep": {str(key): limit for key, limit in value.items()}}


_READERS: dict[str, Callable[[object], dict[str, Any]]] = {
    "traffic": _traffic,
    "hold": lambda value: {"hold": _mark(value, "hold")},
    "bad": lambda value: {"bad": _marks(value, "bad")},
    "paused": lambda value: {"paused": _mark(value, "paused")},
    "deleted": lambda value: {"deleted": _marks(value, "deleted")},
    "protect": _flag,
    "replicas": _replicas,
    "access": _access,
    "keep": _keep,
    "description": lambda value: {"description": _text(value)},
}

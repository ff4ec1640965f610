"""settings.yaml: what a version needs to run. Part of the version; a rollback brings it back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cellship.backend.workspace.names import did_you_mean, shown
from cellship.backend.workspace.yaml_text import dump, load
from cellship.snapshot.errors import UsageProblem

KEYS = (
    "entry",
    "methods",
    "cpu",
    "memory",
    "gpu",
    "env",
    "secrets",
    "network",
    "concurrency",
    "timeout",
)


def check(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings in the order of the file, without those left at None.

    Two versions have the same settings when the results are equal. Raises UsageProblem
    `workspace.setting` for a key that no version has: it would be ignored, and nothing is.
    """
    for key in settings:
        if key not in KEYS:
            near = did_you_mean(str(key), KEYS)
            raise UsageProblem(
                f"A version has no setting {shown(str(key))}.{near}", code="workspace.setting"
            )
    return {key: _plain(settings[key]) for key in KEYS if settings.get(key) is not None}


def to_yaml(settings: Mapping[str, Any]) -> str:
    """The text of settings.yaml."""
    return dump(check(settings))


def from_yaml(text: str) -> dict[str, Any]:
    """The settings of a version that exists; they were checked when it was made."""
    loaded = load(text)
    return dict(loaded) if isinstance(loaded, dict) else {}


def _plain(value: Any) -> Any:
    """Tuples as lists, mappings in the order of their keys: what YAML gives back."""
    if isinstance(value, Mapping):
        return {str(key): _plain(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value

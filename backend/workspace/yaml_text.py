"""YAML as it is kept in git: readable, and read back as it was written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load(text: str | bytes) -> Any:
    """Plain values of a YAML text. Raises yaml.YAMLError or ValueError."""
    return yaml.load(text, Loader=_LOADER)


def dump(values: Mapping[Any, Any]) -> str:
    """A YAML text of plain values, in their order."""
    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True)
    if load(text) == values:
        return text
    # a rare character, such as U+0085, that is folded into a space unless it is escaped
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=False)

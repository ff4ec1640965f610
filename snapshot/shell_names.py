"""Names that IPython put into the notebook, as against those that its author made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SHIMS = frozenset({"display", "get_ipython"})
HISTORY = frozenset({"In", "Out", "_ih", "_oh", "_dh"})


def is_shells(name: str, value: Any, hidden: Mapping[str, Any]) -> bool:
    """Whether the shell made this name, and a worker has its own or needs none.

    What was put in and out of cells (`In`, `Out`, `_`, `_3`) is the author's.
    """
    if name in SHIMS and str(getattr(value, "__module__", "")).startswith("IPython"):
        return True
    if name == "get_ipython":
        return True
    if name in HISTORY or name.startswith("_"):
        return False
    return name in hidden and hidden[name] is value

"""Cellship: one notebook cell becomes a live, versioned endpoint.

    %load_ext cellship          %%deploy and %cellship in this notebook
    cellship.get("digits")      an endpoint, to call with keyword arguments

Nothing here is imported before it is used: a kernel pays for what it needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cellship.snapshot.errors import CaptureRefused, CellshipError

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from cellship.magics.api import (
        client,
        delete,
        deploy,
        deployments,
        diff,
        down,
        evaluate,
        get,
        logs,
        pause,
        promote,
        resume,
        rollback,
        status,
        traffic,
        up,
        versions,
    )

    __version__: str

__all__ = [
    "CaptureRefused",
    "CellshipError",
    "__version__",
    "client",
    "delete",
    "deploy",
    "deployments",
    "diff",
    "down",
    "evaluate",
    "get",
    "load_ipython_extension",
    "logs",
    "pause",
    "promote",
    "resume",
    "rollback",
    "status",
    "traffic",
    "unload_ipython_extension",
    "up",
    "versions",
]


def load_ipython_extension(shell: InteractiveShell) -> None:
    """`%load_ext cellship`: magics, completion and the record of cells; prints nothing."""
    from cellship.magics.extension import load

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """`%unload_ext cellship`: all of that taken away."""
    from cellship.magics.extension import unload

    unload(shell)


def __getattr__(name: str) -> Any:
    """The Python API (magics/api.py), loaded at first use."""
    if name == "__version__":
        from importlib.metadata import version

        return version("cellship")
    if name in __all__:
        return getattr(import_module("cellship.magics.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

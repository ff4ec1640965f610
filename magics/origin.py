"""Who ships, from which notebook, and how it is run: hints for the record, never rules."""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

RUNNERS = (
    ("papermill", "papermill"),
    ("nbconvert", "nbconvert"),
    ("nbval", "nbval"),
    ("nbclient", "nbclient"),
)
CI_VARIABLES = ("CI", "GITHUB_ACTIONS", "GITLAB_CI", "JENKINS_URL", "BUILDKITE")


def author() -> str:
    """The hub's or the system's name of the user."""
    if named := os.environ.get("JUPYTERHUB_USER"):
        return named
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no entry for this uid, as in many containers
        return f"uid {os.getuid()}"


def notebook(namespace: Mapping[str, Any]) -> Path | None:
    """The notebook's path where Jupyter, VS Code or papermill tell it."""
    for told in (
        namespace.get("__vsc_ipynb_file__"),
        namespace.get("PAPERMILL_INPUT_PATH"),
        os.environ.get("JPY_SESSION_NAME"),
    ):
        if isinstance(told, str) and told.endswith(".ipynb"):
            return Path(told)
    return None


def how_run(namespace: Mapping[str, Any], parent: tuple[str, ...] | None = None) -> str:
    """`papermill`, `nbconvert`, `nbval`, `nbclient`, `CI`, or `by hand`."""
    if any(name.startswith("PAPERMILL_") for name in namespace):
        return "papermill"
    started_by = parent_words() if parent is None else parent
    for sign, runner in RUNNERS:
        if any(sign in word for word in started_by):
            return runner
    return "CI" if any(os.environ.get(name) for name in CI_VARIABLES) else "by hand"


def parent_words() -> tuple[str, ...]:
    """Words of the command that started this kernel, without folders; () where nobody tells."""
    try:
        line = Path(f"/proc/{os.getppid()}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ()
    return tuple(Path(word).name for word in line.split("\0") if not word.endswith(".ipynb"))

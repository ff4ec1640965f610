"""What `cellship doctor` looks at: each check says one thing, and the line that mends it."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from cellship.backend.client import Client, folder_problem
from cellship.backend.locate import data_folder
from cellship.magics import words
from cellship.snapshot.errors import CellshipError

OLDEST = (3, 10)
LOW_DISK = 0.05


@dataclass(frozen=True)
class Finding:
    """`ok` or a problem with the line that mends it."""

    what: str
    ok: bool
    found: str
    fix: str = ""

    def text(self) -> str:
        head = f"{'ok     ' if self.ok else 'problem'}  {self.what}: {self.found}"
        return head if not self.fix else f"{head}\n         {self.fix}"


def all_checks(option: Path | None) -> list[Finding]:
    """Every check, whatever the others found."""
    data = data_folder(option)
    return [python(), server_parts(), git(), folder(option, data), space(data), *service(option)]


def python() -> Finding:
    version = platform.python_version()
    if sys.version_info >= OLDEST:
        return Finding("Python", True, version)
    return Finding("Python", False, version, "Cellship needs Python 3.10 or later.")


def server_parts() -> Finding:
    try:
        from cellship.backend.launch import missing_parts
    except ImportError:  # it locks files as Unix does
        return Finding("server parts", False, "this system cannot run the service", "Use WSL 2.")
    missing = missing_parts()
    if not missing:
        return Finding("server parts", True, f"in {sys.prefix}")
    fix = f'{sys.executable} -m pip install "cellship[server]"'
    return Finding("server parts", False, f"{', '.join(missing)} not installed", fix)


def git() -> Finding:
    found = shutil.which("git")
    if found:
        return Finding("git", True, found)
    return Finding("git", False, "not found", "Install git: the workspace is a git repository.")


def folder(option: Path | None, data: Path) -> Finding:
    """The data folder is ours to write, on a local disk, and not newer than this Cellship."""
    if (problem := folder_problem(option)) is not None:
        return Finding("data folder", False, problem.message, problem.hint)
    there = nearest(data)
    if os.access(there, os.W_OK | os.X_OK):
        return Finding(
            "data folder", True, str(data) + ("" if there == data else " (not made yet)")
        )
    fix = "Name a folder of your own: CELLSHIP_DATA=FOLDER cellship up"
    return Finding("data folder", False, f"{there} cannot be written", fix)


def space(data: Path) -> Finding:
    usage = shutil.disk_usage(nearest(data))
    found = f"{words.size(usage.free)} free of {words.size(usage.total)}"
    if usage.free >= LOW_DISK * usage.total:
        return Finding("disk", True, found)
    return Finding("disk", False, found, "Make room; below 5 % free no version is taken.")


def nearest(path: Path) -> Path:
    """The folder itself, or the first of its parents that is there."""
    return next(one for one in (path, *path.absolute().parents) if one.exists())


def service(option: Path | None) -> list[Finding]:
    """The API, its protocol, and the gateway."""
    try:
        client = Client.find(option)
        status = client.check_protocol()
    except CellshipError as error:
        return [Finding("service", False, error.message, error.hint)]
    found = [Finding("service", True, f"{status.version} at {status.address}")]
    return [*found, gateway(status.gateway)]


def gateway(address: str) -> Finding:
    """Any answer is an answer: the gateway's own 404 too."""
    import requests

    try:
        requests.get(address, timeout=5, allow_redirects=False)
    except requests.RequestException as error:
        fix = "It is started again by itself; if it does not come back: cellship down, cellship up"
        return Finding("gateway", False, f"{address} does not answer ({type(error).__name__})", fix)
    return Finding("gateway", True, address)

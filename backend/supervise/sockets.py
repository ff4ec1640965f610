"""The short private folder that holds the sockets of one data folder."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

# a socket's path may have 104 bytes on the narrowest system, its ending zero included
LONGEST_FOLDER = 103 - len("/replica-0123456789ab.sock")


class NoSocketsFolder(OSError):
    """No folder on this host is short, writable and private enough. `str()` is a sentence."""


def sockets_folder(data: Path) -> Path:
    """The folder for sockets, made if need be: mode 0700, owned by us. Raises NoSocketsFolder.

    Whoever asks gets the same answer, whatever its XDG_RUNTIME_DIR and TMPDIR: the first answer is
    written to `run/sockets` and holds as long as that place exists.
    """
    name = folder_name(data)
    recorded = read_record(data)
    if recorded is not None and recorded.name == name and is_ours(recorded):
        return recorded
    for parent in places():
        folder = parent / name
        if len(os.fsencode(folder)) <= LONGEST_FOLDER and is_ours(folder):
            return record(data, folder, replace=recorded is not None)
    raise NoSocketsFolder(
        f"No folder for sockets that belongs to you alone: tried {', '.join(map(str, places()))}."
    )


def folder_name(data: Path) -> str:
    digest = hashlib.sha256(os.fsencode(os.path.realpath(data))).hexdigest()
    return f"cellship-{os.getuid()}-{digest[:12]}"


def places() -> Iterator[Path]:
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and os.path.isabs(runtime):
        yield Path(runtime)
    yield Path(tempfile.gettempdir())
    yield Path("/tmp")


def is_ours(folder: Path) -> bool:
    """Make the folder if it is missing; whether it is a real one, ours, and closed to others."""
    try:
        with suppress(FileExistsError):
            os.mkdir(folder, 0o700)
        found = os.lstat(folder)
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            return False
        if stat.S_IMODE(found.st_mode) != 0o700:
            os.chmod(folder, 0o700)
    except OSError:
        return False
    return True


def read_record(data: Path) -> Path | None:
    try:
        text = (data / "run" / "sockets").read_text().strip()
    except (OSError, UnicodeDecodeError):
        return None
    return Path(text) if os.path.isabs(text) else None


def record(data: Path, folder: Path, *, replace: bool) -> Path:
    """Write the choice down; of two that choose at once the first one holds."""
    target = data / "run" / "sockets"
    aside = target.with_name(f".sockets.{uuid.uuid4().hex}")
    try:
        aside.write_text(f"{folder}\n")
    except OSError:
        return folder  # no data folder there yet: nothing to agree on
    try:
        if replace:
            os.replace(aside, target)
            return folder
        os.link(aside, target)
    except FileExistsError:
        return read_record(data) or folder
    finally:
        aside.unlink(missing_ok=True)
    return folder

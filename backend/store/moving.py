"""Give verified bytes their name in the store: renames only, and what is there already stays.

Only one process at a time moves (Store holds its folder for it), so that what is not there when
looked for is not there when renamed.
"""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from cellship.backend.store.plain import PlainFile

THERE = {errno.EEXIST, errno.ENOTEMPTY}


def make_read_only(file: PlainFile) -> None:
    """Only reading, and running where it was allowed."""
    wanted = 0o555 if file.executable else 0o444
    if file.mode & 0o7777 != wanted:
        os.chmod(file.full, wanted)


def move_blob(file: PlainFile, target: Path) -> int:
    """The bytes that became new: the file's size, or 0 where the store has it."""
    target.parent.mkdir(exist_ok=True)
    if target.exists():  # replaced, it would be in memory twice: workers have the old one mapped
        os.unlink(file.full)
        return 0
    os.rename(file.full, target)
    return file.size


def move_tree(source: Path, files: list[PlainFile], target: Path) -> int:
    """The bytes that became new: of all files, or 0 where the store has the tree."""
    try:
        os.rename(source, target)
    except OSError as error:
        if error.errno not in THERE:
            raise
        shutil.rmtree(source)
        return 0
    return sum(file.size for file in files)


def move_byte_code(source: Path, files: list[PlainFile], target: Path) -> int:
    """As `move_tree`; beside byte code that is there, for another Python, the new one is added."""
    try:
        os.rename(source, target)
        return sum(file.size for file in files)
    except OSError as error:
        if error.errno not in THERE:
            raise
    added = [file for file in files if not (target / file.path).exists()]
    for file in added:
        (target / file.path).parent.mkdir(parents=True, exist_ok=True)
        os.rename(file.full, target / file.path)
    shutil.rmtree(source)
    return sum(file.size for file in added)

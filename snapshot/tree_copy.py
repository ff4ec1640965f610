"""Write a tree's files to a new folder: copies (reflinks where there are any), never links."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cellship.snapshot.tree_files import TreeFile

CHUNK = 64
CANNOT = {errno.EXDEV, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM}


def write_files(files: Sequence[TreeFile], folder: Path) -> None:
    """Write `files` below the new folder `folder`, read-only. Raises FileExistsError."""
    folder.mkdir(parents=True)
    base = str(folder)
    make_folders(base, (file.path for file in files))
    chunks = [files[at : at + CHUNK] for at in range(0, len(files), CHUNK)]

    def run(chunk: Sequence[TreeFile]) -> None:
        for file in chunk:
            write_file(file, f"{base}/{file.path}")

    with ThreadPoolExecutor(min(8, os.cpu_count() or 2)) as pool:
        for _ in pool.map(run, chunks):
            pass


def make_folders(base: str, paths: Iterable[str]) -> None:
    """Make the folders below `base` that files with these relative paths need."""
    made = {""}

    def make(folder: str) -> None:
        if folder in made:
            return
        make(folder.rpartition("/")[0])
        os.makedirs(f"{base}/{folder}", exist_ok=True)
        made.add(folder)

    for path in paths:
        make(path.rpartition("/")[0])


def write_file(file: TreeFile, target: str) -> None:
    """Write one file to the new path `target`."""
    mode = 0o555 if file.executable else 0o444
    if file.data is not None:
        write_new(target, file.data, mode)
    else:
        copy_new(file.source, target, mode)


def write_new(target: str, data: bytes, mode: int = 0o444) -> None:
    """A new read-only file with these bytes."""
    with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
        out.write(data)


def copy_new(source: str, target: str, mode: int = 0o444) -> None:
    """A new read-only file with the bytes of `source`."""
    incoming = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        outgoing = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            _copy(incoming, outgoing)
        finally:
            os.close(outgoing)
    finally:
        os.close(incoming)


def _copy(incoming: int, outgoing: int) -> None:
    left = os.fstat(incoming).st_size
    while left > 0:
        try:
            # the kernel makes it a reflink where the file system can
            count = os.copy_file_range(incoming, outgoing, left)
        except AttributeError:  # not Linux
            return _copy_bytes(incoming, outgoing)
        except OSError as error:
            if error.errno not in CANNOT:
                raise
            return _copy_bytes(incoming, outgoing)
        if count == 0:
            return None
        left -= count
    return None


def _copy_bytes(incoming: int, outgoing: int) -> None:
    with (
        open(incoming, "rb", closefd=False) as reader,
        open(outgoing, "wb", closefd=False) as writer,
    ):
        shutil.copyfileobj(reader, writer, 1 << 20)

"""`redeploy-same`: the same cell again ships nothing."""

from __future__ import annotations

from tests.driver import Service, kernel, service

from benchmarks import digits
from benchmarks.folders import new_folder
from benchmarks.rows import Row, median, row, spread

RUNS = 10


def measure() -> list[Row]:
    with (
        new_folder() as folder,
        service(folder, keep=True) as running,
        kernel(running, folder) as notebook,
    ):
        digits.fitted(notebook)
        notebook.run(digits.DEPLOY)
        versions, held = count(running), stored(running)
        seconds = [notebook.run(digits.DEPLOY).seconds for _ in range(RUNS)]
        moved, made = stored(running) - held, count(running) - versions
    how = "bytes that the store and the workspace grew by, versions made, seconds of the cell"
    return [
        row(
            "redeploy-same",
            [moved, made, median(seconds)],
            "bytes / versions / s",
            RUNS,
            spread(seconds),
            how,
        )
    ]


def count(running: Service) -> int:
    return len(running.listed("versions", "digits"))


def stored(running: Service) -> int:
    """Bytes of all files of the store, its leases and the workspace."""
    folders = [running.data / name for name in ("store", "leases", "workspace.git")]
    files = [file for folder in folders for file in folder.rglob("*")]
    return sum(file.lstat().st_size for file in files if file.is_file() and not file.is_symlink())

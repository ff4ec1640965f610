"""Why a file that the code names does not ship, each with the fix."""

from __future__ import annotations

from pathlib import Path

from cellship.snapshot.errors import CaptureRefused


def secret(path: str, where: str) -> CaptureRefused:
    """A file of secrets."""
    return CaptureRefused(
        f"{path} ({where}) has the name of a file of secrets, and those never ship.",
        code="capture.secret-file",
        hint=f"Take the reading of {path} out of the shipped code. If it holds no secret, "
        f"rename it; to ship without it, add --no-file {path}",
    )


def too_large(path: str, size: int, where: str) -> CaptureRefused:
    """One file above the limit."""
    return CaptureRefused(
        f"{path} ({where}) has {_sized(size)}; above 100 MiB a file ships only when asked for.",
        code="capture.file-too-large",
        hint=f"Add --file {path} to ship it, or --no-file {path} to ship without it.",
    )


def too_much(total: int, largest: str) -> CaptureRefused:
    """All files together above the limit."""
    return CaptureRefused(
        f"The files that the code names have {_sized(total)} together (the largest is {largest}); "
        "above 500 MiB they ship only when they are asked for.",
        code="capture.files-too-large",
        hint=f"Add --file {largest} to ship it, or --no-file {largest} to ship without it.",
    )


def too_many(path: str, count: int, where: str) -> CaptureRefused:
    """A folder above the limit."""
    return CaptureRefused(
        f"{path} ({where}) holds {count} files; folders above 200 files ship only when asked for.",
        code="capture.too-many-files",
        hint=f"Add --file {path} to ship the folder, or --no-file {path} to ship without it.",
    )


def outside(path: str, where: str, folder: str) -> CaptureRefused:
    """A path that leads up and out."""
    return CaptureRefused(
        f"{path} ({where}) lies outside the notebook's folder {folder}; "
        "a worker finds files only below its own.",
        code="capture.file-outside",
        hint=f"Copy it beside the notebook and name it {Path(path).name!r}.",
    )


def absolute(path: str, where: str, cwd: Path) -> CaptureRefused:
    """A path that means this machine."""
    if Path(path).is_relative_to(cwd):
        fix = f"Write {str(Path(path).relative_to(cwd))!r}: a worker has the file at that path."
    else:
        fix = f"Copy it beside the notebook and write {Path(path).name!r}."
    return CaptureRefused(
        f"{path} ({where}) is an absolute path; a worker cannot have it at the same address.",
        code="capture.absolute-path",
        hint=f"{fix} Or add --no-file {path} if the code does not read it.",
    )


def not_found(path: str) -> CaptureRefused:
    """`--file` names nothing."""
    return CaptureRefused(
        f"--file {path}: there is no such file.",
        code="capture.file-not-found",
        hint="Paths are relative to the notebook's current folder; %pwd prints it.",
    )


def unreadable(path: str, where: str) -> CaptureRefused:
    """No right to read it."""
    return CaptureRefused(
        f"{path} ({where}) cannot be read: permission denied.",
        code="capture.file-unreadable",
        hint=f"Change its mode, or add --no-file {path} to ship without it.",
    )


def _sized(count: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"

"""Nothing is committed before the search for secrets: git is for good."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from cellship.snapshot.errors import Detail, Refused
from cellship.snapshot.secret_files import is_secret_name
from cellship.snapshot.secrets import find_secrets

FILES = "files/manifest.json"
SHOWN = 5
TEXT_IN_BINARY = re.compile(rb"[\t\x20-\x7e]{12,}")
# no format is searched for in words of plain language: a corpus among the values costs no seconds
WORTH_SEARCHING = re.compile(rb"[!-~]{16}|://|-----")
LONGEST = 300


def refuse_secrets(files: Mapping[str, bytes]) -> None:
    """Raises Refused `workspace.secret-found` naming file, line and kind, never the secret."""
    found = [*_secret_files(files.get(FILES)), *_secret_texts(files)]
    if not found:
        return
    raise Refused(
        f"This looks like a secret: {found[0].message} in {found[0].path}. Nothing was kept of it.",
        code="workspace.secret-found",
        hint="Take it out of what ships, then ship the cell again.",
        details=_others(found[1:]),
    )


def _others(found: list[Detail]) -> tuple[Detail, ...]:
    more = [Detail("others", f"{len(found) - SHOWN} more")] if len(found) > SHOWN else []
    return (*found[:SHOWN], *more)


def _secret_texts(files: Mapping[str, bytes]) -> Iterator[Detail]:
    for path, data in sorted(files.items()):
        text, has_lines = _text(data)
        found = find_secrets(text)
        if has_lines:
            yield from (Detail(f"{path}, line {one.line}", one.kind) for one in found)
        else:
            yield from (Detail(path, kind) for kind in sorted({one.kind for one in found}))


def _text(data: bytes) -> tuple[str, bool]:
    """What can be read of a file, and whether its lines are lines."""
    if b"\0" not in data:
        try:
            return data.decode(), True
        except UnicodeDecodeError:
            pass
    found = filter(WORTH_SEARCHING.search, TEXT_IN_BINARY.findall(data))
    runs = [run.decode("ascii") for run in found]
    # what comes before a text in a pickle is its length, which may look like a letter
    starts = (run[1:LONGEST] for run in runs if run[0].isalnum())
    return "\n".join([*runs, *starts]), False


def _secret_files(manifest: bytes | None) -> Iterator[Detail]:
    """Captured files by the names that secrets have; their bytes are not here to be read."""
    try:
        files = json.loads(manifest or b"{}").get("files", [])
    except (ValueError, AttributeError):
        return
    for file in files:
        path = str(file.get("path", ""))
        if is_secret_name(path.rpartition("/")[2]):
            yield Detail(path, "a file of secrets")

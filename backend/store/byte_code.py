"""Byte code comes in only where it was made from the source that it goes beside.

It is not covered by the tree's digest, so its header is what can be checked: "do not check at
import", and the hash of exactly that source.
"""

from __future__ import annotations

import _imp
import os
import re
from collections.abc import Collection
from pathlib import Path

from cellship.backend.store.errors import WrongByteCode
from cellship.backend.store.plain import PlainFile

PLACE = re.compile(
    r"(?P<folder>(?:.*/)?)__pycache__/(?P<name>[^/]+)\.(?P<tag>[a-z]+-[0-9a-z]+)\.pyc"
)
HEADER = 16
UNCHECKED = (1).to_bytes(4, "little")


def check_byte_code(files: Collection[PlainFile], tree: Path) -> None:
    """Raises WrongByteCode if a file does not belong to the source in `tree`."""
    for file in files:
        place = PLACE.fullmatch(file.path)
        if place is None:
            raise WrongByteCode(file.path, "not where Python looks for byte code")
        _check(file, tree / f"{place['folder']}{place['name']}.py")


def _check(file: PlainFile, source: Path) -> None:
    with open(file.full, "rb") as compiled:
        header = compiled.read(HEADER)
    if len(header) < HEADER or header[4:8] != UNCHECKED:
        raise WrongByteCode(file.path, "it would be checked against times that mean nothing here")
    try:
        text = _read_plain(source)
    except OSError:
        raise WrongByteCode(file.path, "the package has no such source") from None
    key = int.from_bytes(header[:4], "little")  # Python keys the hash with its own magic number
    if _imp.source_hash(key, text) != header[8:HEADER]:
        raise WrongByteCode(file.path, "made from another text than the package's source")


def _read_plain(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        return file.read()

"""Compiled byte code of a tree, as a second tree that goes on top of it.

The kernel has compiled what it imported; where that still matches its source it is used, with a
header that says "do not check": the tree it belongs to never changes. What the kernel imported
without leaving byte code is compiled. The rest is left to the first import: most of a package is
never imported, and compiling all of scikit-learn's packages takes seconds.
"""

from __future__ import annotations

import importlib.util
import os
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

from cellship.snapshot.compile_files import byte_code, compile_all
from cellship.snapshot.tree_copy import make_folders, write_new
from cellship.snapshot.tree_files import TreeFile

HEADER = struct.Struct("<4sIII")
HASHED = 0b01


def write_bytecode(files: Sequence[TreeFile], folder: Path, *, trust: bool = True) -> None:
    """Write byte code for the Python files among `files` to the new folder `folder`.

    `trust=False` compiles from source instead of using what lies there: the time in such a file has
    whole seconds, which is too coarse for code that its author is editing.
    """
    folder.mkdir(parents=True)
    loaded = _loaded_files()
    sources = [file for file in files if file.data is None and file.path.endswith(".py")]
    made, missing = {}, []
    for file in sources:
        code = kernels_own(file.source) if trust else None
        if code is not None:
            made[cached_path(file.path)] = code
        elif file.source in loaded:
            missing.append((file.source, cached_path(file.path)))
    make_folders(str(folder), [*made, *(target for _, target in missing)])
    for target, code in made.items():
        write_new(f"{folder}/{target}", code)
    compile_all([(source, f"{folder}/{target}") for source, target in missing])


def cached_path(path: str) -> str:
    """Where Python looks for the byte code of `path`, relative as `path` is."""
    folder, _, name = path.rpartition("/")
    cached = f"__pycache__/{name[:-3]}.{sys.implementation.cache_tag}.pyc"
    return f"{folder}/{cached}" if folder else cached


def kernels_own(source: str) -> bytes | None:
    """What the kernel's Python left beside `source`, under our header, if it is of this text."""
    try:
        with open(importlib.util.cache_from_source(source, optimization=""), "rb") as file:
            data = file.read()
        with open(source, "rb") as file:
            stat, text = os.fstat(file.fileno()), file.read()
    except OSError:
        return None
    return byte_code(text, data[HEADER.size :]) if _matches(data, stat, text) else None


def _matches(data: bytes, stat: os.stat_result, text: bytes) -> bool:
    if len(data) < HEADER.size:
        return False
    magic, flags, changed, size = HEADER.unpack_from(data)
    if magic != importlib.util.MAGIC_NUMBER:
        return False
    if flags & HASHED:
        return data[8:16] == importlib.util.source_hash(text)
    return bool(changed == int(stat.st_mtime) & 0xFFFFFFFF and size == stat.st_size & 0xFFFFFFFF)


def _loaded_files() -> frozenset[str]:
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    return frozenset(file for file in files if isinstance(file, str))

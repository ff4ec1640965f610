"""Compile Python files in processes of their own: compiling holds the interpreter lock.

Run as a script with one JSON list of (source, target) on standard input; the standard library only.
"""

from __future__ import annotations

import importlib.util
import json
import marshal
import os
import subprocess
import sys
from collections.abc import Sequence

UNCHECKED = (1).to_bytes(4, "little")  # the tree that the source belongs to never changes


def compile_all(jobs: Sequence[tuple[str, str]]) -> None:
    """Write the byte code of each source to its new target. What cannot be compiled is left out."""
    if not jobs or not sys.executable:
        return
    count = min(os.cpu_count() or 2, 1 + len(jobs) // 16)
    running = [_start(list(jobs[at::count])) for at in range(count)]
    try:
        for process in running:
            process.wait()
    finally:  # an interrupt of the notebook
        for process in running:
            process.kill()
            process.wait()


def byte_code(data: bytes, code: bytes) -> bytes:
    """A .pyc of marshalled `code` for the source `data`; its header says: do not check."""
    return importlib.util.MAGIC_NUMBER + UNCHECKED + importlib.util.source_hash(data) + code


def _start(jobs: list[tuple[str, str]]) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # an interrupt is for the notebook, which ends it
    )
    assert process.stdin is not None
    with process.stdin as pipe:
        pipe.write(json.dumps(jobs).encode())
    return process


def _compile(source: str, target: str) -> None:
    try:
        with open(source, "rb") as file:
            data = file.read()
        code = compile(data, source, "exec", dont_inherit=True, optimize=0)
    except (OSError, SyntaxError, ValueError):
        return  # the import in the worker will say what is wrong with it
    with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444), "wb") as out:
        out.write(byte_code(data, marshal.dumps(code)))


if __name__ == "__main__":
    for each in json.load(sys.stdin):
        _compile(*each)

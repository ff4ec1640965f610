"""Starting one child: own session, closed descriptors, exactly the environment that was given."""

from __future__ import annotations

import os
import selectors
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO

from .loop import Loop


@dataclass(frozen=True)
class Order:
    """What to start. `keep_stdin` holds standard input open: its end says that we are gone."""

    id: str
    argv: list[str]
    env: Mapping[str, str]
    cwd: str
    output: str
    stdin: str = ""
    keep_stdin: bool = False
    pass_fds: tuple[int, ...] = field(default=())


def start(order: Order, loop: Loop) -> int:
    """The pid. Raises OSError where the program or the folder is missing."""
    with open(order.output, "ab") as output:
        if not order.keep_stdin:
            with text_file(order.stdin) as stdin:
                return popen(order, stdin.fileno(), output)
        read_end, write_end = os.pipe()
        try:
            pid = popen(order, read_end, output)
        except OSError:
            os.close(write_end)
            raise
        finally:
            os.close(read_end)
    Feeder(loop, write_end, order.stdin.encode())
    return pid


def popen(order: Order, stdin: int, output: IO[bytes]) -> int:
    process = subprocess.Popen(
        order.argv,
        env=dict(order.env),
        cwd=order.cwd,
        stdin=stdin,
        stdout=output,
        stderr=output,
        start_new_session=True,
        close_fds=True,
        pass_fds=order.pass_fds,
    )
    # we reap with wait4 ourselves, for the peak of memory: this object must not try
    process.returncode = 0
    return process.pid


def text_file(text: str) -> IO[bytes]:
    """An unnamed file to read from: never full, unlike a pipe; in memory where there is that."""
    maker = getattr(os, "memfd_create", None)
    file = open(maker("stdin"), "w+b") if maker else tempfile.TemporaryFile()  # noqa: SIM115
    file.write(text.encode())
    file.seek(0)
    return file


class Feeder:
    """Writes a text to a child's standard input as fast as it is read, then holds the end open."""

    def __init__(self, loop: Loop, fd: int, text: bytes) -> None:
        self._loop = loop
        self._fd = fd
        self._rest = memoryview(text)
        os.set_blocking(fd, False)
        loop.watch(fd, self._write, selectors.EVENT_WRITE)

    def _write(self) -> None:
        try:
            with suppress(BlockingIOError):
                self._rest = self._rest[os.write(self._fd, self._rest) :]
        except OSError:
            self._close()
            return
        if not self._rest:
            # nothing more to write; a pipe without readers reports itself even so
            self._loop.watch(self._fd, self._close, selectors.EVENT_READ)

    def _close(self) -> None:
        self._loop.forget(self._fd)
        os.close(self._fd)

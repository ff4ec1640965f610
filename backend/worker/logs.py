"""What a replica prints, kept: whole lines in append-only segments that outlive it.

`sys.stdout`, `sys.stderr` and `logging` write `time TAB stream TAB level TAB request id TAB text`.
Each line has left this process when `print` returns, so that a SIGKILL loses none. Native code
writes to the same file through descriptors 1 and 2, without the prefix. backend/control/logs.py
reads all of it.
"""

from __future__ import annotations

import faulthandler
import logging
import sys
from typing import Iterator

from .segments import Segments
from .streams import REQUEST_ID, LineStream

LONGEST = 1024 * 1024  # bytes of a line's text; longer ones are split


class Logs:
    """The log of this process: `line` writes, `end_call` ends what a call left unfinished."""

    def __init__(self, folder: str) -> None:
        self.segments = Segments(folder)
        self.out = LineStream(self, "out", 1)
        self.err = LineStream(self, "err", 2)

    def install(self) -> None:
        """Make this process write here: descriptors, `sys` streams, `logging`, crash reports."""
        sys.stdout.flush()
        sys.stderr.flush()
        self.segments.redirect((1, 2))
        sys.stdout = sys.__stdout__ = self.out  # type: ignore[assignment,misc]
        sys.stderr = sys.__stderr__ = self.err  # type: ignore[assignment,misc]
        faulthandler.enable(file=2)
        root = logging.getLogger()
        root.addHandler(LogHandler(self))
        root.setLevel(logging.INFO)

    def line(self, stream: str, level: str, text: str) -> None:
        """Write `text`, each of its lines with the prefix of now and of the request that runs."""
        prefix = self.prefix(stream, level, REQUEST_ID.get())
        data = text.encode("utf-8", "backslashreplace")
        if len(data) <= LONGEST and b"\n" not in data:
            self.segments.write(prefix + data + b"\n")
            return
        for each in data.split(b"\n"):
            self.write_parts(prefix, each)

    def prefix(self, stream: str, level: str, request_id: str) -> bytes:
        stamp = self.segments.stamp()
        return "{}\t{}\t{}\t{}\t".format(stamp, stream, level, request_id).encode()

    def write_parts(self, prefix: bytes, line: bytes, part: int = 1, ends: bool = True) -> int:
        """Write one line, in parts if it is long; the number of the next part."""
        for piece in pieces(line, part, ends):
            self.segments.write(prefix + piece + b"\n")
            part += 1
        return part

    def end_call(self) -> None:
        """A line that the call left open ends with it."""
        self.out.end_line()
        self.err.end_line()


def pieces(line: bytes, part: int = 1, ends: bool = True) -> Iterator[bytes]:
    """A line in parts that hold at most `LONGEST` bytes and say so; UTF-8 is not cut apart.

    `part` is the number of the first of them; `ends` is false while more of the line is to come.
    """
    if len(line) <= LONGEST and part == 1 and ends:
        yield line
        return
    start = 0
    while start < len(line) or (ends and not line):
        stop = min(start + LONGEST, len(line))
        while stop < len(line) and line[stop] & 0xC0 == 0x80:
            stop -= 1
        ended = ends and stop == len(line)
        note = " [cellship: part {} of a line above 1 MiB{}]".format(part, ", the last" * ended)
        yield line[start:stop] + note.encode()
        if ended:
            return
        start, part = stop, part + 1


class LogHandler(logging.Handler):
    """`logging` records, with their level; the logger's name goes before the text."""

    def __init__(self, logs: Logs) -> None:
        super().__init__()
        self._logs = logs

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = self.format(record)
        except Exception:
            self.handleError(record)
            return
        if record.name != "root":
            text = "{}: {}".format(record.name, text)
        self._logs.line("log", "_".join(record.levelname.split()) or "-", text)

"""`sys.stdout` and `sys.stderr` of a worker."""

from __future__ import annotations

import codecs
import io
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, List, Optional

if TYPE_CHECKING:
    from .logs import Logs

HELD = 1024 * 1024  # characters of an unfinished line; then a part of it is written

# the request that this thread or task works for
REQUEST_ID: ContextVar[str] = ContextVar("cellship_request_id", default="-")


class Unfinished(threading.local):
    """The text of a line that has no end yet; each thread has its own."""

    def __init__(self) -> None:
        self.parts: List[str] = []
        self.size = 0
        self.request_id = ""
        self.part = 1

    def take(self) -> str:
        text = "".join(self.parts)
        self.parts, self.size = [], 0
        return text


class LineStream(io.TextIOBase):
    """Passes on whole lines; an unfinished one waits for its end, or for the end of the call."""

    encoding = "utf-8"
    errors = "backslashreplace"
    line_buffering = True
    mode = "w"

    def __init__(self, logs: Logs, name: str, descriptor: int) -> None:
        super().__init__()
        self.name = "<std{}>".format(name)
        self.buffer = ByteStream(self)
        self._logs = logs
        self._stream = name
        self._descriptor = descriptor
        self._unfinished = Unfinished()

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError("write() wants str, not " + type(text).__name__)
        unfinished = self._unfinished
        if unfinished.parts and unfinished.request_id != REQUEST_ID.get():
            self.end_line()
        head, newline, rest = text.rpartition("\n")
        if newline:
            self._end_with(head)
        if rest:
            self._keep(rest)
        return len(text)

    def end_line(self) -> None:
        """End the line that this thread left open, if it did."""
        if self._unfinished.parts:
            self._end_with("")

    def _end_with(self, head: str) -> None:
        unfinished = self._unfinished
        if not unfinished.parts:
            self._logs.line(self._stream, "-", head)
            return
        text = unfinished.take() + head
        if unfinished.part == 1 and unfinished.request_id == REQUEST_ID.get():
            self._logs.line(self._stream, "-", text)
            return
        self._end_other(text)

    def _end_other(self, text: str) -> None:
        """A line of which parts are written already, or that another request began."""
        unfinished = self._unfinished
        prefix = self._logs.prefix(self._stream, "-", unfinished.request_id)
        part, unfinished.part = unfinished.part, 1
        for line in text.encode("utf-8", "backslashreplace").split(b"\n"):
            self._logs.write_parts(prefix, line, part)
            part = 1

    def _keep(self, text: str) -> None:
        unfinished = self._unfinished
        if not unfinished.parts:
            unfinished.request_id = REQUEST_ID.get()
        if text.startswith("\r"):
            # a progress bar draws over its line; only its last state is ever a line
            unfinished.take()
            text = text[1:]
        unfinished.parts.append(text)
        unfinished.size += len(text)
        if unfinished.size > HELD:
            self._write_held()

    def _write_held(self) -> None:
        unfinished = self._unfinished
        prefix = self._logs.prefix(self._stream, "-", unfinished.request_id)
        data = unfinished.take().encode("utf-8", "backslashreplace")
        unfinished.part = self._logs.write_parts(prefix, data, unfinished.part, ends=False)
        unfinished.parts = [""]  # the line is still open

    def fileno(self) -> int:
        return self._descriptor

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def close(self) -> None:
        """The log ends with the process, not with `sys.stdout.close()`."""

    def reconfigure(self, **_: Any) -> None:
        """Nothing can be set: lines are UTF-8 and are written at once."""


class ByteStream(io.RawIOBase):
    """`sys.stdout.buffer`: bytes become text and go the same way."""

    def __init__(self, stream: LineStream) -> None:
        super().__init__()
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def write(self, data: Any) -> Optional[int]:
        self._stream.write(self._decoder.decode(bytes(data)))
        return len(data)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._stream.fileno()

    def close(self) -> None:
        """As the text stream."""

"""One JSON line per answer in `logs/gateway/<k>.log`, written in batches."""

from __future__ import annotations

import asyncio
import json
import os
import time
from datetime import datetime, timezone
from pathlib import Path

from cellship.backend.gateway.call import Call
from cellship.backend.gateway.limits import Limits

PAUSE = 0.05  # seconds between batches
Line = tuple[float, Call, int, int, float]


class AccessLog:
    """`add` is on the path of every request and only keeps what it is given; `flush` writes.

    A full disk costs lines, never answers: they are counted, and a line says how many are missing.
    """

    def __init__(self, folder: Path, limits: Limits) -> None:
        self._folder = folder
        self._limits = limits
        self._lines: list[Line] = []
        self._fd = -1
        self._size = 0
        self._dropped = 0
        self._torn = False  # the last line was cut short
        self._second = 0
        self._prefix = ""
        self._paths: dict[bytes, str] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, call: Call, status: int, size: int) -> None:
        if not self._lines:
            asyncio.get_running_loop().call_later(PAUSE, self.flush)
        self._lines.append((call.began, call, status, size, time.monotonic()))

    def flush(self) -> None:
        if not self._lines:
            return
        lines, self._lines = self._lines, []
        offset = time.time() - time.monotonic()
        data = "".join([self._format(line, offset) for line in lines]).encode()
        try:
            written = self._write(data)
        except OSError:
            written = 0
        self._dropped += data[written:].count(b"\n")

    def close(self) -> None:
        self.flush()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _format(self, line: Line, offset: float) -> str:
        began, call, status, size, ended = line
        at = ended + offset
        version = f'"{call.version.label.decode()}"' if call.version else "null"
        replica = f'"{call.link.id}"' if call.link else "null"
        return (
            f'{{"time":"{self._moment(at)}","request_id":"{call.request_id.decode()}",'
            f'"method":"{call.verb.decode()}","path":{self._path(call.path)},"status":{status},'
            f'"version":{version},"replica":{replica},'
            f'"seconds":{ended - began:.6f},"bytes":{size}}}\n'
        )

    def _moment(self, at: float) -> str:
        second = int(at)
        if second != self._second:
            self._second = second
            self._prefix = datetime.fromtimestamp(second, timezone.utc).strftime(
                "%Y-%m-%dT%H:%M:%S"
            )
        return f"{self._prefix}.{int((at - second) * 1000):03d}Z"

    def _path(self, path: bytes) -> str:
        text = self._paths.get(path)
        if text is None:
            text = json.dumps(path.decode("utf-8", "replace")[:2000])
            if len(self._paths) < 1000 and len(path) < 200:
                self._paths[path] = text
        return text

    def _write(self, data: bytes) -> int:
        """How many bytes of `data` are in the file. Raises OSError if it takes none."""
        if self._fd < 0 or self._size > self._limits.log_segment:
            self._next_segment()
        first = (b"\n" if self._torn else b"") + self._gap()
        written = os.write(self._fd, first + data)
        self._size += written
        self._torn = written < len(first) + len(data)
        if written >= len(first):
            self._dropped = 0
        return max(0, written - len(first))

    def _gap(self) -> bytes:
        return b'{"dropped":%d}\n' % self._dropped if self._dropped else b""

    def _next_segment(self) -> None:
        """Open a new file: two gateways that overlap never write to the same one."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        taken = segments(self._folder)
        number = taken[-1] + 1 if taken else 1
        while self._fd < 0:
            try:
                flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND
                self._fd = os.open(self._folder / f"{number}.log", flags, 0o600)
            except FileExistsError:
                number += 1
        self._size = 0
        for old in taken[: -(self._limits.log_segments - 1)]:
            (self._folder / f"{old}.log").unlink(missing_ok=True)


def segments(folder: Path) -> list[int]:
    return sorted(int(file.stem) for file in folder.glob("*.log") if file.stem.isdigit())

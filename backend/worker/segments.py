"""Append-only files `1.log`, `2.log`, ... of one replica, each up to 64 MiB."""

from __future__ import annotations

import os
import threading
import time
from typing import Iterable, Optional, Tuple

SEGMENT = 64 * 1024 * 1024
LOOK_EVERY = 256 * 1024  # bytes of our own between two looks at the size, which native code adds to


class Segments:
    """Takes whole lines; what cannot be written is counted, and named once it can be again.

    `write` never raises: a full disk must not fail the request that prints. Threads may write at
    once, each line is one `write(2)` in append mode.
    """

    def __init__(self, folder: str, size: int = SEGMENT) -> None:
        os.makedirs(folder, exist_ok=True)
        self._folder = folder
        self._size = size
        self._number = newest(folder)
        self._owner = os.getpid()
        self._lock = threading.Lock()
        self._clock = (0, "")
        self._unseen = 0
        self._gap: Optional[Gap] = None
        self._redirected: Tuple[int, ...] = ()
        # this number stays; the next segment is put in its place by dup2, which is atomic
        self._descriptor = self._open_next()

    def redirect(self, descriptors: Iterable[int]) -> None:
        """Point these descriptors at the newest segment, now and after each roll."""
        self._redirected = tuple(descriptors)
        for descriptor in self._redirected:
            os.dup2(self._descriptor, descriptor)

    def stamp(self) -> str:
        """Now: `2026-11-20T09:30:00.123456Z`."""
        now = time.time()
        second = int(now)
        known, text = self._clock
        if second != known:
            text = time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(second))
            self._clock = (second, text)
        return "%s%06dZ" % (text, (now - second) * 1e6)

    def write(self, data: bytes) -> None:
        """Append whole lines."""
        if self._gap and not self._close_gap():
            self._drop(data, self._gap.reason)
            return
        try:
            written = os.write(self._descriptor, data)
        except OSError as error:
            self._drop(data, error.strerror)
            return
        if written < len(data):
            self._write_rest(data[written:])
        self._unseen += written
        if self._unseen >= LOOK_EVERY:
            self.roll()

    def tick(self) -> None:
        """Between calls: name a gap once that is possible, begin the next file if it is time."""
        if self._gap:
            self._close_gap()
        self.roll()

    def roll(self) -> None:
        """Begin the next segment if this one is full."""
        self._unseen = 0
        if os.getpid() != self._owner or os.fstat(self._descriptor).st_size < self._size:
            return
        with self._lock:
            if os.fstat(self._descriptor).st_size < self._size:
                return  # another thread did
            try:
                following = self._open_next()
            except OSError:
                return  # a full disk: this segment goes on
            os.dup2(following, self._descriptor, inheritable=False)
            os.close(following)
            for descriptor in self._redirected:
                os.dup2(self._descriptor, descriptor)

    def _open_next(self) -> int:
        path = os.path.join(self._folder, "{}.log".format(self._number + 1))
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL
        descriptor = os.open(path, flags, 0o600)
        self._number += 1
        return descriptor

    def _write_rest(self, data: bytes) -> None:
        """The disk took a part of a line: it takes the rest, or the line stays cut."""
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except OSError as error:
            self._drop(data, error.strerror, cut=True)

    def _drop(self, data: bytes, reason: Optional[str], cut: bool = False) -> None:
        with self._lock:
            gap = self._gap or Gap(self.stamp(), reason or "unknown error")
            # the line that is cut is there, so it is not one of those that are missing
            gap.lines += data.count(b"\n") - cut
            gap.cut = gap.cut or cut
            self._gap = gap

    def _close_gap(self) -> bool:
        """Write the record of the gap. False while the disk still takes nothing."""
        with self._lock:
            gap = self._gap
            if gap is None:
                return True
            record = gap.record(self.stamp())
            try:
                written = os.write(self._descriptor, record)
            except OSError:
                return False
            if written < len(record):
                gap.cut = True
                return False
            self._gap = None
            return True


class Gap:
    """Lines that are missing: how many, since when, why."""

    def __init__(self, since: str, reason: str) -> None:
        self.since = since
        self.reason = reason
        self.lines = 0
        self.cut = False

    def record(self, now: str) -> bytes:
        """`TIME TAB gap TAB - TAB - TAB 12 lines dropped ...`, after ending a line that was cut."""
        text = "{} lines dropped from {} to {}: {}".format(self.lines, self.since, now, self.reason)
        if self.cut:
            text += "; the line before is cut"
        start = "\n" if self.cut else ""
        return "{}{}\tgap\t-\t-\t{}\n".format(start, now, text).encode()


def newest(folder: str) -> int:
    """The highest number of a segment in `folder`, 0 where there is none."""
    stems = (name[:-4] for name in os.listdir(folder) if name.endswith(".log"))
    return max((int(stem) for stem in stems if stem.isdigit()), default=0)

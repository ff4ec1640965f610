"""Values of a snapshot: the stream is read in steps, as the lines of source.py ask for names."""

from __future__ import annotations

import io
import json
import mmap
import os
import pickle
from typing import Any, Dict, List, Optional

_current: List[Values] = []


def load(*names: str) -> Any:
    """The values of `names`, one or a tuple, as `source.py` asks for them."""
    values = [_current[-1].value(name) for name in names]
    return values[0] if len(values) == 1 else tuple(values)


class Values:
    """The values of one snapshot folder.

    `values/graph.pkl` is a sequence of pickles with one memo, each a dict of names to values, so
    that an object that two names share is one object. A step is read when a name of it is wanted.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.manifest = read_manifest(folder)
        self.known: Dict[str, Any] = {}
        self._stream: Optional[Stream] = None

    def value(self, name: str) -> Any:
        """The value called `name`. Raises KeyError if the snapshot has none."""
        while name not in self.known:
            try:
                self.known.update(self.stream().load())
            except EOFError:
                raise KeyError(name) from None
        return self.known[name]

    def stream(self) -> Stream:
        if self._stream is None:
            with open(os.path.join(self.folder, "values", "graph.pkl"), "rb") as file:
                data = file.read()
            buffers = (self.map(digest) for digest in self.manifest["order"])
            self._stream = Stream(io.BytesIO(data), buffers=buffers)
        return self._stream

    def map(self, digest: str) -> mmap.mmap:
        """A buffer, writable, shared with other workers until it is written to."""
        path = os.path.join(self.folder, "values", "buffers", digest)
        size = self.manifest["buffers"][digest]
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_size != size:
                raise ValueError("buffer {} is not {} bytes long".format(digest, size))
            return mmap.mmap(file.fileno(), size, access=mmap.ACCESS_COPY)


class Stream(pickle.Unpickler):
    """A persistent id is the object itself: that is how sets travel in canonical order."""

    def persistent_load(self, pid: Any) -> Any:
        return pid


def read_manifest(folder: str) -> Dict[str, Any]:
    with open(os.path.join(folder, "values", "manifest.json"), encoding="utf-8") as file:
        found: Dict[str, Any] = json.load(file)
    return found


def use(values: Values) -> None:
    """Let `load` read from `values` from now on."""
    _current.append(values)

"""Values of a snapshot: the pickle stream is read in steps, as the lines of source.py ask for names."""

import io
import json
import mmap
import os
import pickle

_current = []


def load(*names):
    """The values of `names`, one or a tuple, as `source.py` asks for them."""
    values = [_current[-1].value(name) for name in names]
    return values[0] if len(values) == 1 else tuple(values)


class Values:
    """The values of one snapshot folder.

    `values/graph.pkl` is a sequence of pickles with one memo, each a dict of names to values, so that
    an object that two names share is one object. A step is read when its first name is asked for.
    """

    def __init__(self, folder):
        self.folder = folder
        self.manifest = read_manifest(folder)
        self.known = {}
        self._stream = None

    def value(self, name):
        """The value called `name`. Raises KeyError if the snapshot has none."""
        while name not in self.known:
            try:
                self.known.update(self.stream().load())
            except EOFError:
                raise KeyError(name) from None
        return self.known[name]

    def stream(self):
        if self._stream is None:
            with open(os.path.join(self.folder, "values", "graph.pkl"), "rb") as file:
                data = file.read()
            buffers = (self.map(digest) for digest in self.manifest["order"])
            self._stream = Stream(io.BytesIO(data), buffers=buffers)
        return self._stream

    def map(self, digest):
        """A buffer, writable, shared with other workers until it is written to."""
        path = os.path.join(self.folder, "values", "buffers", digest)
        size = self.manifest["buffers"][digest]
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_size != size:
                raise ValueError("buffer {} is not {} bytes long".format(digest, size))
            return mmap.mmap(file.fileno(), size, access=mmap.ACCESS_COPY)


class Stream(pickle.Unpickler):
    """A persistent id is the object itself: that is how sets travel in canonical order."""

    def persistent_load(self, pid):
        return pid


def read_manifest(folder):
    with open(os.path.join(folder, "values", "manifest.json"), encoding="utf-8") as file:
        return json.load(file)


def use(values):
    """Let `load` read from `values` from now on."""
    _current.append(values)

"""What is installed: names, versions, files (RECORD) and who owns a file."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from packaging.utils import canonicalize_name

from cellship.snapshot.record import Recorded, read_record


@dataclass(frozen=True)
class Distribution:
    """One installed distribution, as its metadata folder tells it."""

    info: Path  # …/site-packages/numpy-2.4.6.dist-info

    @property
    def root(self) -> Path:
        """The folder that its modules are imported from."""
        return self.info.parent

    @cached_property
    def _metadata(self) -> metadata.Distribution:
        return metadata.Distribution.at(self.info)

    @cached_property
    def shown(self) -> str:
        """Its name as its author writes it: `scikit-learn`, `PyYAML`."""
        return self._metadata.metadata["Name"] or self.info.name.partition("-")[0]

    @cached_property
    def name(self) -> str:
        """Its normalised name."""
        return canonicalize_name(self.shown)

    @cached_property
    def version(self) -> str:
        return self._metadata.metadata["Version"] or ""

    @cached_property
    def requires(self) -> tuple[str, ...]:
        """Its `Requires-Dist` lines."""
        return tuple(self._metadata.requires or ())

    @cached_property
    def direct_url(self) -> dict[str, object]:
        """Where it was installed from, when not from an index."""
        try:
            found = json.loads(self._metadata.read_text("direct_url.json") or "{}")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @cached_property
    def project(self) -> Path | None:
        """The working folder of an editable install."""
        about = self.direct_url.get("dir_info")
        if not (isinstance(about, dict) and about.get("editable")):
            return None
        return Path(url2pathname(urlsplit(str(self.direct_url.get("url", ""))).path))

    @cached_property
    def wheel_tags(self) -> tuple[str, ...]:
        """The tags of the wheel that it came from."""
        lines = (self._metadata.read_text("WHEEL") or "").splitlines()
        return tuple(line[4:].strip() for line in lines if line.startswith("Tag:"))

    @cached_property
    def recorded(self) -> tuple[Recorded, ...]:
        """Its files, with absolute paths."""
        return read_record(self.info)

    @cached_property
    def requested(self) -> bool:
        """Whether somebody asked for it by name (as far as the installer tells)."""
        return (self.info / "REQUESTED").exists()


class Installed:
    """All distributions on a path like `sys.path`; the first of a name counts, as for an import."""

    def __init__(self, path: Iterable[str]) -> None:
        self._found: dict[str, Distribution] = {}
        for distribution in _scan(path):
            self._found.setdefault(distribution.name, distribution)

    @classmethod
    def here(cls) -> Installed:
        """What this process can import."""
        return cls(sys.path)

    def __iter__(self) -> Iterator[Distribution]:
        return iter(self._found.values())

    def get(self, name: str) -> Distribution | None:
        """The distribution of this name, however it is spelled."""
        return self._found.get(canonicalize_name(name))

    def owner(self, file: str) -> Distribution | None:
        """The distribution whose RECORD lists this file (absolute path)."""
        return self._owners.get(file) or self._owners.get(os.path.realpath(file))

    def editable_owner(self, file: str) -> Distribution | None:
        """The editable install whose working folder holds this file."""
        real = Path(os.path.realpath(file))
        for distribution in self._editable:
            if distribution.project and real.is_relative_to(distribution.project.resolve()):
                return distribution
        return None

    @cached_property
    def _editable(self) -> list[Distribution]:
        return [distribution for distribution in self if distribution.project]

    @cached_property
    def _owners(self) -> dict[str, Distribution]:
        owners: dict[str, Distribution] = {}
        for distribution in self:
            for file in distribution.recorded:
                owners.setdefault(file.source, distribution)
        return owners


_known: dict[tuple[Path, int], Distribution] = {}


def _scan(path: Iterable[str]) -> Iterator[Distribution]:
    for folder in dict.fromkeys(path):
        if not os.path.isdir(folder or "."):
            continue
        with os.scandir(folder or ".") as entries:
            infos = [
                entry.name for entry in entries if entry.name.endswith((".dist-info", ".egg-info"))
            ]
        for name in sorted(infos):
            info = Path(os.path.abspath(folder), name)
            if info.is_dir():
                yield _distribution(info)


def _distribution(info: Path) -> Distribution:
    """The same object while its folder does not change: what it read stays read."""
    key = (info, info.stat().st_mtime_ns)
    if key not in _known:
        _known[key] = Distribution(info)
    return _known[key]

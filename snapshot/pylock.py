"""Write `pylock.toml` (PEP 751) from what is installed, without asking an index.

An index could say where a wheel was and what its hash is; the installed files cannot. What they
can say is name, version, where a direct install came from, the tags of the wheel, and the tree that
holds the files themselves: for what came from an index the lock points to that tree of the store.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from packaging.utils import canonicalize_name

from cellship.snapshot.distributions import Distribution


@dataclass(frozen=True)
class Locked:
    """One entry of the lock."""

    name: str
    version: str
    tree: str
    distribution: Distribution | None = None  # None for local code


def write_pylock(entries: Sequence[Locked]) -> str:
    """The text of the lock."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    head = [
        'lock-version = "1.0"',
        f"requires-python = {_text(f'=={version}.*')}",
        'created-by = "cellship"',
    ]
    return "\n".join(head + [_package(entry) for entry in sorted(entries, key=_key)]) + "\n"


def _key(entry: Locked) -> tuple[str, str, str]:
    return canonicalize_name(entry.name), entry.version, entry.tree


def _package(entry: Locked) -> str:
    lines = ["", "[[packages]]", f"name = {_text(canonicalize_name(entry.name))}"]
    if entry.version:
        lines.append(f"version = {_text(entry.version)}")
    lines.append(_origin(entry))
    tags = entry.distribution.wheel_tags if entry.distribution else ()
    if tags:
        lines += ["[packages.tool.cellship]", f"tags = [{', '.join(_text(tag) for tag in tags)}]"]
    return "\n".join(lines)


def _origin(entry: Locked) -> str:
    """A git commit or an archive where it came from one, else the tree that holds it."""
    direct = entry.distribution.direct_url if entry.distribution else {}
    url = without_credentials(str(direct.get("url", "")))
    vcs, archive = direct.get("vcs_info"), direct.get("archive_info")
    if isinstance(vcs, dict) and vcs.get("commit_id"):
        return (
            f"vcs = {{ type = {_text(str(vcs.get('vcs', 'git')))}, url = {_text(url)}, "
            f"commit-id = {_text(str(vcs['commit_id']))} }}"
        )
    hashes = archive.get("hashes") if isinstance(archive, dict) else None
    if isinstance(hashes, dict) and hashes and url.startswith(("http://", "https://")):
        named = ", ".join(f"{name} = {_text(str(value))}" for name, value in sorted(hashes.items()))
        return f"archive = {{ url = {_text(url)}, hashes = {{ {named} }} }}"
    return f"directory = {{ path = {_text(f'trees/{entry.tree}')} }}"


def without_credentials(url: str) -> str:
    """The same URL without user, password, query and fragment."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def _text(value: str) -> str:
    """A TOML basic string; JSON's escapes are among TOML's."""
    return re.sub("\x7f", r"\\u007f", json.dumps(value, ensure_ascii=False))

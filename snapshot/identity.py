"""The name of a snapshot: BLAKE3 over what it is, never over when, where or by whom it was made."""

from __future__ import annotations

import json
from pathlib import Path

from blake3 import blake3

NOT_IDENTITY = frozenset({"provenance.json", "schema.json", "settings.yaml", "deployment.yaml"})


def identity(folder: Path) -> str:
    """BLAKE3 (hex) over the canonical list of paths and digests of the folder's own files.

    Buffers and captured files count through their manifests, which name their digests.
    """
    files = {
        path.relative_to(folder).as_posix(): blake3().update_mmap(path).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and belongs(path.relative_to(folder))
    }
    canonical = json.dumps(files, sort_keys=True, separators=(",", ":"))
    return blake3(canonical.encode()).hexdigest()


def belongs(path: Path) -> bool:
    """Whether a file of a snapshot's folder is part of its identity."""
    if path.as_posix() in NOT_IDENTITY:
        return False
    return path.parts[:2] != ("values", "buffers") and not (
        path.parts[0] == "files" and path.name != "manifest.json"
    )

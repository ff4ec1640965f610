"""Digests and ids are checked before they become part of a path."""

from __future__ import annotations

import re

from cellship.backend.store.errors import BadName

DIGEST = re.compile(r"[0-9a-f]{64}")
LEASE = re.compile(r"[0-9a-f]{32}")


def is_digest(name: str) -> bool:
    """Whether `name` is a BLAKE3 or SHA-256 digest in lower-case hex."""
    return DIGEST.fullmatch(name) is not None


def digest_name(name: str) -> str:
    """`name` itself if it is a digest. Raises BadName."""
    if not is_digest(name):
        raise BadName(name)
    return name


def lease_name(name: str) -> str:
    """`name` itself if it is a lease id. Raises BadName."""
    if LEASE.fullmatch(name) is None:
        raise BadName(name)
    return name

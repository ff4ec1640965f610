"""Names of files that hold secrets or belong to the system, and therefore never ship."""

from __future__ import annotations

import fnmatch
from pathlib import Path, PurePosixPath

SECRET_NAMES = (
    ".env",
    ".env.*",
    "*.pem",
    "*.key",
    "*.p12",
    "*.pfx",
    "*.kdbx",
    "id_rsa*",
    "id_dsa*",
    "id_ecdsa*",
    "id_ed25519*",
    ".netrc",
    "_netrc",
    ".pypirc",
    ".npmrc",
    ".pgpass",
    ".git-credentials",
    "credentials.json",
    "service-account*.json",
    "service_account*.json",
)
SECRET_FOLDERS = frozenset({".git", ".ssh", ".aws", ".gnupg", ".kube", ".docker", ".azure"})
PUBLIC_NAMES = (".env.example", ".env.sample", ".env.template", "cacert.pem")


def is_secret_name(name: str) -> bool:
    """Whether a file of this name (without folder) is taken for a secret."""
    low = name.lower()
    if low in PUBLIC_NAMES:
        return False
    return any(fnmatch.fnmatchcase(low, pattern) for pattern in SECRET_NAMES)


def is_secret_path(path: str, cwd: Path) -> bool:
    """Whether a relative path below `cwd` leads to a secret, or into somebody's settings."""
    parts = PurePosixPath(path).parts
    if is_secret_name(parts[-1]) or any(part in SECRET_FOLDERS for part in parts):
        return True
    return cwd == Path.home() and parts[0].startswith(".")

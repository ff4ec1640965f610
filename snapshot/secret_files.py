"""Names of files that hold secrets or belong to the system, and therefore never ship."""

from __future__ import annotations

import fnmatch

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
PUBLIC_NAMES = (".env.example", ".env.sample", ".env.template", "cacert.pem")


def is_secret_name(name: str) -> bool:
    """Whether a file of this name (without folder) is taken for a secret."""
    low = name.lower()
    if low in PUBLIC_NAMES:
        return False
    return any(fnmatch.fnmatchcase(low, pattern) for pattern in SECRET_NAMES)

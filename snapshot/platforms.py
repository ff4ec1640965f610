"""The platform that trees belong to, as one word: `cp311-linux-x86_64-glibc2.36`."""

from __future__ import annotations

import os
import platform
import sys


def platform_tag() -> str:
    """The tag of the running interpreter on this machine."""
    implementation = {"cpython": "cp", "pypy": "pp"}.get(
        sys.implementation.name, sys.implementation.name
    )
    abi = "t" if getattr(sys, "abiflags", "").startswith("t") else ""
    python = f"{implementation}{sys.version_info.major}{sys.version_info.minor}{abi}"
    return "-".join((python, sys.platform, platform.machine(), _system_library()))


def _system_library() -> str:
    """`glibc2.36`, `musl`, or the system's version where there is no choice of C library."""
    if sys.platform == "darwin":
        return "macos" + ".".join(platform.mac_ver()[0].split(".")[:2])
    try:
        version = os.confstr("CS_GNU_LIBC_VERSION")
    except (AttributeError, ValueError, OSError):
        version = None
    return version.replace(" ", "") if version else "musl"

"""The machine that the figures belong to, in words that say nothing about whose it is."""

from __future__ import annotations

import platform
from pathlib import Path

import psutil


def machine() -> str:
    """`2 cores (AMD EPYC), 24 GiB, ext4, Linux 6.1, Python 3.11.7`"""
    memory = psutil.virtual_memory().total / 2**30
    parts = [
        f"{psutil.cpu_count()} cores ({processor()})",
        f"{memory:.0f} GiB",
        file_system(Path(__file__)),
        f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}",
        f"Python {platform.python_version()}",
    ]
    return ", ".join(part for part in parts if part)


def processor() -> str:
    facts = Path("/proc/cpuinfo")
    if facts.exists():
        for line in facts.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def file_system(path: Path) -> str:
    """Type of the file system that holds `path`."""
    inside = [
        part
        for part in psutil.disk_partitions(all=True)
        if path.resolve().is_relative_to(part.mountpoint)
    ]
    return max(inside, key=lambda part: len(part.mountpoint)).fstype if inside else ""

"""What the system knows of a process: when it started, whether it lives, who listens on a port.

A process is named by its pid and its start time together. The start time counts from the boot, so
that a clock set back changes nothing.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Container, Iterator
from contextlib import suppress
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
LISTENING = "0A"


def start_time(pid: int) -> float | None:
    """Seconds from the boot to the start of a process; None unless it lives (a zombie does not)."""
    fields = stat_fields(pid)
    if fields is None:
        return start_time_by_ps(pid) if sys.platform == "darwin" else None
    if fields[0] in ("Z", "X"):
        return None
    return int(fields[19]) / os.sysconf("SC_CLK_TCK")


def start_time_of_child(pid: int) -> float:
    """Like `start_time`, for a child of ours that may have ended already and is not reaped yet."""
    fields = stat_fields(pid)
    if fields is not None:
        return int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return start_time_by_ps(pid) or 0.0


def is_alive(pid: int, started: float) -> bool:
    return pid > 0 and start_time(pid) == started


def stat_fields(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat from the state on."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    return text[text.rindex(")") + 2 :].split()


def start_time_by_ps(pid: int) -> float | None:
    found = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C"},
    )
    if found.returncode or not found.stdout.strip():
        return None
    return time.mktime(time.strptime(found.stdout.strip(), "%a %b %d %H:%M:%S %Y"))


def boot_id() -> str:
    """Changes when the machine starts anew; "" where the system does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def become_subreaper() -> None:
    """Orphans of our children become our children, so that none is forgotten (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def send(pid: int, started: float, number: int) -> bool:
    """Send a signal if that very process lives; SIGKILL goes to its whole group."""
    if not is_alive(pid, started):
        return False
    with suppress(ProcessLookupError):
        os.kill(pid, number)
    if number == signal.SIGKILL:
        kill_group(pid)
    return True


def kill_group(leader: int) -> None:
    """Kill what is left of the process group that this session leader began."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def find(argv: list[str], cwd: str, known: Container[int]) -> int | None:
    """A process with exactly this command line and folder that is not `known`: one whose pid was
    never written down."""
    wanted = b"".join(os.fsencode(word) + b"\0" for word in argv)
    for pid in pids():
        if pid in known:
            continue
        with suppress(OSError):
            if Path(f"/proc/{pid}/cmdline").read_bytes() != wanted:
                continue
            if os.readlink(f"/proc/{pid}/cwd") == os.path.realpath(cwd):
                return pid
    return None


def children_of(parent: int) -> list[int]:
    found = []
    for pid in pids():
        fields = stat_fields(pid)
        if fields is not None and int(fields[1]) == parent and fields[0] != "Z":
            found.append(pid)
    return found


def pids() -> Iterator[int]:
    with suppress(FileNotFoundError):
        for name in os.listdir("/proc"):
            if name.isdigit():
                yield int(name)


def who_listens(port: int) -> tuple[int, str] | None:
    """(pid, command) of the process that listens on a TCP port, where the system lets us see it."""
    wanted = {f"socket:[{inode}]" for inode in listening_inodes(port)}
    for pid in pids() if wanted else ():
        with suppress(OSError):
            for entry in os.listdir(f"/proc/{pid}/fd"):
                if os.readlink(f"/proc/{pid}/fd/{entry}") in wanted:
                    return pid, Path(f"/proc/{pid}/comm").read_text().strip()
    return None


def listening_inodes(port: int) -> Iterator[str]:
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                    yield fields[9]


def oom_kills() -> int:
    """How often the kernel has ended a process on this machine because memory ran out."""
    try:
        lines = Path("/proc/vmstat").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)

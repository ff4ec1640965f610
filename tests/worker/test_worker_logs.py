"""What a worker prints is kept: prefixes, long lines, native output, rolls, full disks, kills."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.worker.served import Workshop, pythons, until, workshop

from cellship.backend.control.logs import LogLine, Source, read
from cellship.backend.worker import frames

SOURCE = Path(frames.__file__).parents[3]
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")

# runs `script` in a process of its own with its log in the folder given; `logs` is at hand there
RUNNER = """
import importlib, os, sys
sys.path.insert(0, {source!r})
logs_module = importlib.import_module("cellship.backend.worker.logs")
segments_module = importlib.import_module("cellship.backend.worker.segments")
REQUEST_ID = importlib.import_module("cellship.backend.worker.streams").REQUEST_ID
{before}
logs = logs_module.Logs({folder!r})
logs.install()
{script}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    yield from workshop(tmp_path)


def printed(
    tmp_path: Path, script: str, *, before: str = "", python: str = sys.executable, code: int = 0
) -> list[LogLine]:
    """The log of a process that ran `script`."""
    folder = tmp_path / "log"
    text = RUNNER.format(source=str(SOURCE), folder=str(folder), script=script, before=before)
    done = subprocess.run([python, "-c", text], capture_output=True, text=True, check=False)
    lines = read([Source("r1", 1, folder, ended=True)], after="", limit=10**9).lines
    assert done.returncode == code, [line.text for line in lines][-20:]
    return list(lines)


def told(lines: list[LogLine]) -> list[tuple[str, str | None, str | None, str]]:
    return [(line.stream, line.level, line.request_id, line.text) for line in lines]


@pytest.mark.parametrize("python", pythons())
def test_lines_have_a_prefix(tmp_path: Path, python: str) -> None:
    lines = printed(
        tmp_path,
        """
import logging
print("one")
print("two", "and", sep="\\n", end="")
print(" more\\r\\n\\n", file=sys.stderr)
print(" three")
token = REQUEST_ID.set("req-1")
print("tab\\there")
logging.getLogger("lib.part").warning("careful %d", 3)
logging.info("first\\nsecond")
logging.debug("not this")
sys.stdout.buffer.write("añ".encode()[:-1]); sys.stdout.buffer.write("añ".encode()[-1:] + b"\\n")
sys.stdout.writelines(["x\\n", "y\\n"])
print("\\ud800")
""",
        python=python,
    )
    assert told(lines) == [
        ("out", None, None, "one"),
        ("out", None, None, "two"),
        ("err", None, None, " more"),
        ("err", None, None, ""),
        ("err", None, None, ""),
        ("out", None, None, "and three"),
        ("out", None, "req-1", "tab\there"),
        ("log", "WARNING", "req-1", "lib.part: careful 3"),
        ("log", "INFO", "req-1", "first"),
        ("log", "INFO", "req-1", "second"),
        ("out", None, "req-1", "añ"),
        ("out", None, "req-1", "x"),
        ("out", None, "req-1", "y"),
        ("out", None, "req-1", "\\ud800"),
    ]
    assert [line.n for line in lines] == list(range(1, len(lines) + 1))
    assert all(TIME.fullmatch(line.time) for line in lines)
    assert [line.time for line in lines] == sorted(line.time for line in lines)


def test_the_streams_look_like_streams(tmp_path: Path) -> None:
    lines = printed(
        tmp_path,
        """
facts = [sys.stdout.fileno(), sys.stderr.fileno(), sys.stdout.isatty(), sys.stdout.encoding,
         sys.stdout.writable(), sys.stdout.closed, sys.stdout is sys.__stdout__, sys.stdout.name]
sys.stdout.close()
sys.stdout.flush()
sys.stdout.reconfigure(line_buffering=True)
print(facts)
try:
    sys.stdout.write(b"bytes")
except TypeError as error:
    print(error)
""",
    )
    assert [line.text for line in lines] == [
        "[1, 2, False, 'utf-8', True, False, True, '<stdout>']",
        "write() wants str, not bytes",
    ]


def test_native_output_takes_the_time_before(tmp_path: Path) -> None:
    lines = printed(
        tmp_path,
        """
import subprocess
print("ours")
os.write(1, b"native\\n")
subprocess.run(["sh", "-c", "echo child; echo wrong >&2"])
os.write(2, b"begun ")
print("and ours")
os.write(1, b"without an end")
""",
    )
    assert [line.text for line in lines] == [
        "ours",
        "native",
        "child",
        "wrong",
        "begun and ours",
        "without an end",
    ]
    assert len({line.time for line in lines[:4]}) == 1
    assert lines[5].time == lines[4].time


def test_progress_bars_keep_their_last_state(tmp_path: Path) -> None:
    lines = printed(
        tmp_path,
        """
for done in range(100_000):
    sys.stderr.write("\\r%d of 100000" % done)
    sys.stderr.flush()
sys.stderr.write("\\n")
""",
    )
    assert [line.text for line in lines] == ["99999 of 100000"]


@pytest.mark.parametrize(
    "script",
    [
        "print('añ' * 3_500_000)",
        "for _ in range(35_000): print('añ' * 100, end='')\nprint()",
        "for _ in range(35_000): print('añ' * 100, end='')\nlogs.end_call()",
    ],
)
def test_ten_megabytes_in_one_line(tmp_path: Path, script: str) -> None:
    lines = printed(tmp_path, script + "\nprint('after')")
    assert lines[-1].text == "after"
    parts = lines[:-1]
    assert all(len(line.text.encode()) < 1024 * 1024 + 100 for line in lines)
    ending = re.compile(r" \[cellship: part (\d+) of a line above 1 MiB(, the last)?\]$")
    found = [ending.search(line.text) for line in parts]
    assert [int(each[1]) for each in found if each] == list(range(1, len(parts) + 1))
    assert [bool(each and each[2]) for each in found] == [False] * (len(parts) - 1) + [True]
    assert "".join(ending.sub("", line.text) for line in parts) == "añ" * 3_500_000


def test_threads_write_whole_lines(tmp_path: Path) -> None:
    lines = printed(
        tmp_path,
        """
import threading
def say(who):
    REQUEST_ID.set("req-%d" % who)
    for number in range(2000):
        print(who, end=" ")
        print(number)
threads = [threading.Thread(target=say, args=(who,)) for who in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
""",
    )
    assert len(lines) == 8000
    for who in range(4):
        mine = [line.text for line in lines if line.request_id == f"req-{who}"]
        assert mine == [f"{who} {number}" for number in range(2000)]


def test_requests_of_one_thread_do_not_share_a_line(tmp_path: Path) -> None:
    lines = printed(
        tmp_path,
        """
REQUEST_ID.set("req-1")
print("begun by one", end="")
REQUEST_ID.set("req-2")
print("two")
""",
    )
    assert told(lines) == [
        ("out", None, "req-1", "begun by one"),
        ("out", None, "req-2", "two"),
    ]


SMALL = "segments_module.SEGMENT = 300_000; segments_module.LOOK_EVERY = 50_000\n"
SMALL += "segments_module.Segments.__init__.__defaults__ = (300_000,)"


def test_segments_roll(tmp_path: Path) -> None:
    lines = printed(
        tmp_path,
        """
for number in range(20_000):
    print("line", number)
    if number % 1000 == 0:
        os.write(2, b"native %d\\n" % number)
""",
        before=SMALL,
    )
    segments = sorted((tmp_path / "log").glob("*.log"))
    assert len(segments) > 3
    assert all(path.stat().st_size < 400_000 for path in segments)
    assert [line.text for line in lines if line.text.startswith("line")] == [
        f"line {number}" for number in range(20_000)
    ]
    assert len(lines) == 20_020
    assert [line.n for line in lines] == list(range(1, 20_021))


def test_a_second_process_goes_on_in_a_segment_of_its_own(tmp_path: Path) -> None:
    printed(tmp_path, "print('first')")
    lines = printed(tmp_path, "print('second')")
    assert [(line.n, line.text) for line in lines] == [(1, "first"), (2, "second")]


# the limit of a file's size stands for a full disk: EFBIG for ENOSPC
FULL = """
import resource
def room(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
print("x" * 50)
room(1000)
"""


@pytest.mark.parametrize("python", pythons())
def test_a_full_disk_drops_and_counts(tmp_path: Path, python: str) -> None:
    lines = printed(
        tmp_path,
        FULL
        + """
for number in range(1000):
    print("line", number)
room(10**9)
print("there is room again")
print("and more")
""",
        python=python,
    )
    [gap] = [line for line in lines if line.stream == "gap"]
    kept = [line.text for line in lines[1 : gap.n - 1]]
    # the last one may be cut, and the gap says so
    assert kept[:-1] == [f"line {number}" for number in range(len(kept) - 1)]
    missing = int(gap.text.split()[0])
    assert 900 < missing == 1000 - len(kept)
    assert "File too large" in gap.text
    assert "the line before is cut" in gap.text
    assert [line.text for line in lines[-2:]] == ["there is room again", "and more"]
    assert gap.n == len(kept) + 2
    assert [line.n for line in lines[-2:]] == [1002, 1003]


def test_an_idle_worker_names_the_gap_too(tmp_path: Path) -> None:
    lines = printed(tmp_path, FULL + "print('y' * 1000)\nroom(10**9)\nlogs.segments.tick()")
    assert lines[-1].stream == "gap"
    assert lines[-1].text.startswith("0 lines dropped")
    assert lines[-2].text.startswith("yyy")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(disk)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("needs to mount a small file system")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_disk_that_is_full(small_disk: Path) -> None:
    lines = printed(
        small_disk,
        f"""
for number in range(10_000):
    print("line", number)
os.unlink({str(small_disk / "other")!r})
print("there is room again")
""",
        before=f"open({str(small_disk / 'other')!r}, 'wb').write(bytes(100_000))",
    )
    [gap] = [line for line in lines if line.stream == "gap"]
    assert "No space left on device" in gap.text
    # all are there or counted; the last one before the gap may be cut anywhere
    assert gap.n - 1 + int(gap.text.split()[0]) == 10_000
    assert [line.text for line in lines[: gap.n - 2]] == [
        f"line {number}" for number in range(gap.n - 2)
    ]
    assert lines[-1].text == "there is room again"
    assert lines[-1].n == 10_001


def test_no_line_is_lost_to_a_kill(shop: Workshop, tmp_path: Path) -> None:
    """`print` returned for each number in the file `said`, which is written behind it."""
    said = tmp_path / "said"
    source = (
        "import mmap\n"
        "def f(path: str):\n"
        "    open(path, 'wb').write(bytes(8))\n"
        "    with open(path, 'r+b') as file:\n"
        "        said = mmap.mmap(file.fileno(), 8)\n"
        "        for number in range(1, 10**9):\n"
        "            print('number', number)\n"
        "            said[:8] = number.to_bytes(8, 'big')\n"
    )
    replica = shop.start(source)
    client = replica.ready()
    client.start(path=str(said))

    def count() -> int:
        return int.from_bytes(said.read_bytes(), "big") if said.exists() else 0

    until(lambda: count() > 200_000, "two hundred thousand lines", 60)
    os.kill(replica.process.pid, signal.SIGKILL)
    assert replica.process.wait(20) == -signal.SIGKILL
    numbers = [int(line.text.split()[1]) for line in replica.lines(ended=True)]
    assert numbers[: count()] == list(range(1, count() + 1))
    assert len(numbers) - count() in (0, 1)


def test_lines_of_a_call_carry_its_request(shop: Workshop) -> None:
    source = "def f(n: int):\n    print('n is', n)\n    print('open end', end='')\n    return n\n"
    replica = shop.start(source)
    client = replica.ready()
    for n in range(3):
        client.call(n=n, request_id=f"req-{n}")
    client.call(n=3, request_id="with\ttab")
    assert [(line.request_id, line.text) for line in replica.lines()] == [
        ("req-0", "n is 0"),
        ("req-0", "open end"),
        ("req-1", "n is 1"),
        ("req-1", "open end"),
        ("req-2", "n is 2"),
        ("req-2", "open end"),
        (None, "n is 3"),
        (None, "open end"),
    ]


def test_async_calls_keep_their_lines_apart(shop: Workshop) -> None:
    source = (
        "import asyncio\n"
        "async def f(n: int):\n"
        "    for step in range(3):\n"
        "        print(n, step)\n"
        "        await asyncio.sleep(0)\n"
    )
    replica = shop.start(source)
    client = replica.ready()
    for n in range(10):
        client.start(n=n, request_id=f"req-{n}")
    for _ in range(10):
        client.hear()
    lines = replica.lines()
    assert len(lines) == 30
    assert all(line.request_id == f"req-{line.text.split()[0]}" for line in lines)

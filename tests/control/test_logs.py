"""Reading the logs of replicas: numbers, gaps, pages, tails, merging, files that grow."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellship.backend.control import log_places, log_segments
from cellship.backend.control.log_places import count_in
from cellship.backend.control.log_segments import LONGEST
from cellship.backend.control.logs import BadCursor, LogLine, Page, Source, read


def at(second: float) -> str:
    return f"2026-11-20T09:30:{second:09.6f}Z"


def line(
    text: str, second: float = 0, stream: str = "out", level: str = "-", rid: str = "-"
) -> str:
    return f"{at(second)}\t{stream}\t{level}\t{rid}\t{text}\n"


def gap(missing: int, second: float = 0) -> str:
    return line(f"{missing} lines dropped from {at(0)} to {at(second)}: full", second, "gap")


class Folder:
    """A replica's log folder under a test's hand."""

    def __init__(self, path: Path, replica: str = "r1", ended: bool = False) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.source = Source(replica, 1, path, ended)

    def write(self, *texts: str | bytes, segment: int = 1) -> None:
        with open(self.path / f"{segment}.log", "ab") as file:
            for text in texts:
                file.write(text.encode() if isinstance(text, str) else text)

    def read(self, after: str | None = "", limit: int = 10**9) -> Page:
        return read([self.source], after=after, limit=limit)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "r1")


def texts(page: Page) -> list[str]:
    return [each.text for each in page.lines]


def numbers(page: Page) -> list[int]:
    return [each.n for each in page.lines]


def test_a_line_in_full(folder: Folder) -> None:
    folder.write(line("tab\there", 1, "log", "INFO", "req-1"))
    [found] = folder.read().lines
    assert found == LogLine(1, at(1), 1, "r1", "log", "INFO", "req-1", "tab\there")
    assert found.facts() == {
        "n": 1,
        "time": at(1),
        "version": 1,
        "replica": "r1",
        "stream": "log",
        "level": "INFO",
        "request_id": "req-1",
        "text": "tab\there",
    }


def test_no_log_yet(tmp_path: Path, folder: Folder) -> None:
    missing = Source("r2", 1, tmp_path / "nowhere")
    page = read([missing, folder.source])
    assert page.lines == ()
    folder.write(line("first"))
    assert texts(read([missing, folder.source], after=page.next)) == ["first"]
    assert read([]).lines == ()


def test_lines_without_a_prefix_take_the_time_before(folder: Folder) -> None:
    folder.write("native\n", line("ours", 2), b"caf\xe9\r\n", "\n", line("more", 3))
    page = folder.read()
    assert texts(page) == ["native", "ours", "caf\ufffd", "", "more"]
    assert [each.time for each in page.lines][1:] == [at(2), at(2), at(2), at(3)]
    assert log_segments.PREFIX.match(page.lines[0].time.encode() + b"\tout\t-\t-\t")


def test_our_line_after_native_output_without_an_end(folder: Folder) -> None:
    folder.write(line("a", 1), "loading... ", line("b", 2, "err", rid="req-1"), "x Z\tout\n")
    page = folder.read()
    assert texts(page) == ["a", "loading... b", "x Z\tout"]
    assert (page.lines[1].time, page.lines[1].stream) == (at(2), "err")
    assert page.lines[1].request_id == "req-1"


def test_what_looks_like_a_prefix_in_our_own_text_stays_there(folder: Folder) -> None:
    folder.write(line("copied: " + line("inner", 5).rstrip("\n"), 1))
    [found] = folder.read().lines
    assert found.time == at(1)
    assert found.text.startswith("copied: 2026")


def test_an_unfinished_line_is_left_for_later(folder: Folder) -> None:
    folder.write(line("whole"), line("rest of it")[:-8])
    page = folder.read()
    assert texts(page) == ["whole"]
    assert folder.read(page.next).lines == ()
    folder.write(line("rest of it")[-8:])
    assert texts(folder.read(page.next)) == ["rest of it"]
    assert numbers(folder.read(page.next)) == [2]


def test_the_last_line_of_a_process_that_is_gone(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "r1", ended=True)
    folder.write(line("whole"), "Segmentation fault")
    assert texts(folder.read()) == texts(folder.read(None)) == ["whole", "Segmentation fault"]
    assert texts(folder.read(None, 1)) == ["Segmentation fault"]


def test_a_line_that_a_roll_has_cut(folder: Folder) -> None:
    folder.write(line("one"), "native with")
    folder.write("out end\n", line("two"), segment=2)
    page = folder.read()
    assert texts(page) == ["one", "native with", "out end", "two"]
    assert numbers(page) == [1, 2, 3, 4]
    assert numbers(folder.read(None, 2)) == [3, 4]


def test_gaps_count_what_is_missing(folder: Folder) -> None:
    folder.write(line("a"), gap(10), line("b"), gap(0), line("c"))
    folder.write(line("d"), segment=2)
    page = folder.read()
    assert [(each.n, each.stream) for each in page.lines] == [
        (1, "out"),
        (2, "gap"),
        (12, "out"),
        (12, "gap"),
        (13, "out"),
        (14, "out"),
    ]
    for limit in range(1, 7):
        assert numbers(folder.read(None, limit)) == numbers(page)[-limit:]


def test_pages_follow_each_other(folder: Folder) -> None:
    for segment in (1, 2, 3):
        folder.write(*(line(f"{segment}.{n}", n) for n in range(10)), segment=segment)
    seen: list[str] = []
    page = folder.read("", 7)
    while page.lines:
        seen += texts(page)
        page = folder.read(page.next, 7)
    assert seen == texts(folder.read())
    folder.write(line("new"), segment=3)
    assert texts(folder.read(page.next)) == ["new"]
    assert numbers(folder.read(page.next)) == [31]


def test_after_a_number(folder: Folder) -> None:
    folder.write(*(line(f"{n}") for n in range(1, 6)), gap(5), line("11"))
    folder.write(line("12"), line("13"), segment=2)
    folder.write(line("14"), segment=3)
    assert numbers(folder.read("0", 2)) == [1, 2]
    assert numbers(folder.read("3")) == [4, 5, 6, 11, 12, 13, 14]
    assert numbers(folder.read("5")) == [6, 11, 12, 13, 14]
    assert numbers(folder.read("10")) == [11, 12, 13, 14]
    assert numbers(folder.read("12")) == [13, 14]
    assert numbers(folder.read("99")) == []


@pytest.mark.parametrize("after", ["nonsense", "r1.1.x.2.0", "r1.7.100.2.0", "r1.1.100000.2.0"])
def test_a_cursor_that_is_none(folder: Folder, after: str) -> None:
    folder.write(line("a"))
    with pytest.raises(BadCursor):
        folder.read(after)


def test_replicas_are_merged_by_time(tmp_path: Path) -> None:
    one, two = Folder(tmp_path / "a", "a"), Folder(tmp_path / "b", "b")
    one.write(line("1", 1), line("3", 3), "native 3\n", line("5", 5))
    two.write(line("2", 2), line("4", 4))
    sources = [one.source, two.source]
    page = read(sources, after="")
    assert texts(page) == ["1", "2", "3", "native 3", "4", "5"]
    assert texts(read(sources, limit=3)) == ["native 3", "4", "5"]
    first = read(sources, after="", limit=3)
    assert texts(read(sources, after=first.next)) == ["native 3", "4", "5"]
    # what a slow replica says later is not lost behind a cursor, nor is a replica that is new
    three = Folder(tmp_path / "c", "c")
    two.write(line("late", 4.5))
    three.write(line("new", 0))
    assert texts(read([*sources, three.source], after=page.next)) == ["new", "late"]


def test_a_clock_that_was_set_back(tmp_path: Path) -> None:
    one, two = Folder(tmp_path / "a", "a"), Folder(tmp_path / "b", "b")
    one.write(line("a1", 5), line("a2", 1), line("a3", 6))
    two.write(line("b1", 4), line("b2", 7))
    assert texts(read([one.source, two.source], after="")) == ["b1", "a1", "a2", "a3", "b2"]


def test_native_lines_that_are_very_long(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "r1")
    long = b"x" * (2 * LONGEST + 10)
    folder.write(line("before"), long)
    page = folder.read()
    assert numbers(page) == [1, 2, 2]
    folder.write(b"yy\n", line("after"))
    rest = folder.read(page.next)
    assert [(each.n, each.text) for each in rest.lines] == [(2, "x" * 10 + "yy"), (3, "after")]
    whole = folder.read()
    assert numbers(whole) == [1, 2, 2, 2, 3]
    assert "above 1 MiB" in whole.lines[1].text
    assert numbers(folder.read(None, 2)) == [2, 3]


def test_counts_are_kept_and_made_again(folder: Folder) -> None:
    folder.write(*(line(str(n)) for n in range(100)))
    folder.write(line("last"), segment=2)
    assert numbers(folder.read(None, 1)) == [101]
    kept = folder.path / "1.count"
    assert kept.exists()
    kept.write_text('{"bytes": 1, "lines": 7}')
    assert numbers(folder.read(None, 1)) == [101]
    kept.write_text("no JSON")
    assert numbers(folder.read(None, 1)) == [101]


def test_files_larger_than_a_block(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_places, "BLOCK", 512)
    monkeypatch.setattr(log_places, "LONGEST_PREFIX", 64)
    for segment in (1, 2, 3):
        for n in range(100):
            folder.write(line(f"{n}", n / 2) if n % 7 else f"native {n}\n", segment=segment)
            if n in (50, 51):
                folder.write(gap(n, n / 2), segment=segment)
    whole = folder.read()
    for after in range(0, whole.lines[-1].n + 2, 3):
        found = folder.read(str(after))
        assert found.lines == tuple(each for each in whole.lines if ends(each) > after)
    for limit in range(1, 150, 7):
        assert folder.read(None, limit).lines == whole.lines[-limit:]


def ends(found: LogLine) -> int:
    """The number of the last line that a line stands for."""
    return found.n + int(found.text.split()[0]) - 1 if found.stream == "gap" else found.n


PIECES = st.lists(
    st.one_of(
        st.text(st.characters(exclude_characters="\n\r", codec="utf-8"), max_size=10).map(line),
        st.binary(max_size=20),
        st.integers(0, 5).map(gap),
        st.just("\n"),
    ).map(lambda text: text.encode() if isinstance(text, str) else text),
    max_size=30,
)


@settings(max_examples=200)
@given(pieces=PIECES, cuts=st.lists(st.integers(1, 30), max_size=3), limit=st.integers(1, 40))
def test_all_ways_of_reading_agree(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], cuts: list[int], limit: int
) -> None:
    folder = Folder(tmp_path_factory.mktemp("logs") / "r1", ended=True)
    segment = 1
    folder.write(line("first"))  # without any time before them, lines take that of the file
    for number, piece in enumerate(pieces):
        segment += number in cuts
        folder.write(piece, segment=segment)
    whole = folder.read()
    paged: list[LogLine] = []
    page = folder.read("", limit)
    while page.lines:
        paged += page.lines
        page = folder.read(page.next, limit)
    assert paged == list(whole.lines)
    newest = folder.read(None, limit)
    assert [(each.n, each.text) for each in newest.lines] == [
        (each.n, each.text) for each in whole.lines[-limit:]
    ]
    assert folder.read(newest.next).lines == ()
    paths = sorted(folder.path.glob("*.log"), key=lambda path: int(path.stem))
    counted = sum(count_in(path, path.stat().st_size) for path in paths)
    last = whole.lines[-1] if whole.lines else None
    if last is not None and last.stream != "gap":
        assert counted == last.n


def test_a_log_that_is_being_written(tmp_path: Path) -> None:
    """Following never shows half a line, a line twice or one too few; then the writer is killed."""
    folder = Folder(tmp_path / "r1")
    script = (
        "import os, sys\n"
        "n = 0\n"
        "for segment in range(1, 100000):\n"
        f"    path = {str(folder.path)!r} + '/%d.log' % segment\n"
        "    file = os.open(path, os.O_WRONLY | os.O_CREAT)\n"
        "    for _ in range(3000):\n"
        "        n += 1\n"
        "        data = b'2026-11-20T09:30:00.000000Z\\tout\\t-\\t-\\tline %d\\n' % n\n"
        "        os.write(file, data[:20]); os.write(file, data[20:])\n"
        "    os.close(file)\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", script])
    try:
        cursor, seen = "", 0
        while seen < 20_000:
            page = folder.read(cursor, 500)
            assert numbers(page) == list(range(seen + 1, seen + 1 + len(page.lines)))
            assert texts(page) == [f"line {n}" for n in numbers(page)]
            seen, cursor = seen + len(page.lines), page.next
            newest = folder.read(None, 3)
            assert all(each.text == f"line {each.n}" for each in newest.lines)
    finally:
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
    rest = folder.read(cursor)
    assert texts(rest) == [f"line {n}" for n in numbers(rest)]
    assert numbers(rest) == list(range(seen + 1, seen + 1 + len(rest.lines)))

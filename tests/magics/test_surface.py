"""Where output goes: a kernel with and without somebody who watches, a terminal, plain text."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from cellship.magics import log_lines
from cellship.magics.log_lines import Follow
from cellship.magics.progress import Progress
from cellship.magics.session import Session
from cellship.magics.surface import Lines, Surface
from cellship.magics.view import Message, Table


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def kernel_shell(watched: bool) -> Any:
    return SimpleNamespace(kernel=SimpleNamespace(_allow_stdin=watched))


def test_plain_progress_says_each_step_once(capsys: pytest.CaptureFixture[str]) -> None:
    surface = Surface()
    surface.update("score: copying, 1 of 9 MiB · 3 s", "score: copying")
    surface.update("score: copying, 5 of 9 MiB · 4 s", "score: copying")
    surface.update("score: starting score@2 · 5 s", "score: starting score@2")
    assert capsys.readouterr().err == "score: copying\nscore: starting score@2\n"


def test_progress_in_a_terminal_is_erased(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    surface = Surface()
    surface.update("score: copying · 3 s")
    surface.erase()
    assert terminal.getvalue() == "\r\x1b[2Kscore: copying · 3 s\r\x1b[2K"


def test_quick_work_shows_no_progress(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(Surface(), "score") as progress:
        progress.step("copying", 100)
        progress.advance(60)
        assert progress.line().startswith("score: copying, 60 B of 100 B · 0")
    assert capsys.readouterr() == ("", "")


def test_lines_are_kept_in_place_where_somebody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    surface = Surface(kernel_shell(watched=True))
    monkeypatch.setattr(surface, "update", drawn.append)
    lines = Lines(surface)
    lines.add([f"line {number}" for number in range(500)])
    lines.add(["the last"])
    lines.draw()
    assert len(drawn) == 2, "at most one update a second, and one at the end"
    assert drawn[-1].splitlines()[0] == "line 301" and drawn[-1].splitlines()[-1] == "the last"


class Pages:
    """A client whose logs stay as they are."""

    def __init__(self) -> None:
        self.asked = 0

    def logs(self, name: str, **words: Any) -> Any:
        self.asked += 1
        return SimpleNamespace(lines=(), next="0")


def test_following_ends_by_itself_where_nobody_watches(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter(range(1000))
    monkeypatch.setattr(log_lines.time, "monotonic", lambda: float(next(clock)))
    monkeypatch.setattr(log_lines, "pause_for", lambda seconds: None)
    session = Session(kernel_shell(watched=False))
    client: Any = Pages()
    Follow(session, client, "score", None, 200, False).run()
    assert 2 < client.asked < 10
    assert "No front end to follow for" in capsys.readouterr().err


def test_following_in_a_shell_goes_on_until_it_is_interrupted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client: Any = Pages()

    def interrupt(seconds: float) -> None:
        if client.asked > 50:
            raise KeyboardInterrupt

    monkeypatch.setattr(log_lines, "pause_for", interrupt)
    with pytest.raises(KeyboardInterrupt):  # which the command turns into exit code 130
        Follow(Session(), client, "score", None, 200, False).run()
    assert client.asked > 50


def test_a_table_has_text_and_html() -> None:
    table = Table(("name", "state"), (("a<b>", "ready"),), ({"name": "a<b>"},), "none")
    assert table.text() == "name  state\na<b>  ready"
    assert "a&lt;b&gt;" in table.html() and "<script" not in table.html()
    assert Table(("name",), (), (), "Nothing.").text() == "Nothing."


def test_a_message_is_escaped() -> None:
    bundle = Message("first\n<img src=x>")._repr_mimebundle_()
    assert sorted(bundle) == ["text/html", "text/plain"]
    assert "&lt;img src=x&gt;" in bundle["text/html"]


def test_commands_are_typed_without_the_percent_sign_in_a_shell() -> None:
    assert Session().as_typed_here("undo: %cellship rollback x") == "undo: cellship rollback x"
    notebook = Session(kernel_shell(watched=True))
    assert notebook.as_typed_here("undo: %cellship rollback x") == "undo: %cellship rollback x"

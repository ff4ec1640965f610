"""`%cellship …` in a notebook and `cellship …` in a shell: one tree, two ways of typing it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fake_service import FakeService
from IPython.core.interactiveshell import InteractiveShell

from cellship.magics import later
from cellship.magics.command import exit_code, tree
from cellship.magics.interrupts import Interrupted
from cellship.magics.line import invoke
from cellship.magics.session import Session
from cellship.snapshot.errors import NoBackend, Refused

DIGEST = "d" * 64
COMMANDS = (
    *("up", "down", "status", "doctor", "deployments", "versions", "logs", "call", "exec"),
    *("diff", "watch", "explain", "rollback", "promote", "pause", "resume", "traffic", "delete"),
)


@pytest.fixture
def two(service: FakeService) -> FakeService:
    """digits with two versions."""
    service.add_version("digits", DIGEST)
    service.add_version("digits", "e" * 64)
    return service


def typed(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """A command in a shell of the system: exit code, stdout, stderr."""
    session = Session()
    code = exit_code(session, lambda: invoke(tree, words, "cellship", session))
    return code, *capsys.readouterr()


def shown(shell: InteractiveShell, capsys: pytest.CaptureFixture[str], line: str) -> str:
    """A line in a notebook; what it prints."""
    shell.run_line_magic("cellship", line)
    return capsys.readouterr().out


def test_the_tree_has_the_commands_of_this_version_and_no_others() -> None:
    assert sorted(tree.commands) == sorted(COMMANDS)


def test_deployments(two: FakeService, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = typed(capsys, "deployments")
    assert code == 0
    assert out.splitlines() == [
        "name    live      state  traffic   url",
        f"digits  digits@2  ready  2: 100 %  {two.address}/digits",
    ]


def test_json_of_lists_has_the_keys_of_the_design(
    two: FakeService, capsys: pytest.CaptureFixture[str]
) -> None:
    [found] = json.loads(typed(capsys, "deployments", "--json")[1])
    assert list(found) == ["name", "url", "state", "traffic", "latest", "live", "updated"]
    versions = json.loads(typed(capsys, "versions", "digits", "--json")[1])
    assert list(versions[0]) == [
        *("name", "version", "digest", "state", "share", "created", "author", "message"),
        *("bytes_moved", "notebook", "cell"),
    ]
    assert [one["version"] for one in versions] == [2, 1]


def test_versions_are_printed_newest_first(
    two: FakeService, capsys: pytest.CaptureFixture[str]
) -> None:
    two.versions["digits"][0]["bad"] = {"by": "ann"}
    lines = typed(capsys, "versions", "digits")[1].splitlines()
    assert [line.split()[0] for line in lines] == ["version", "digits@2", "digits@1"]
    assert "warm, bad" in lines[2]


def test_rollback_and_promote(
    two: FakeService, shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    out = shown(shell, capsys, 'rollback digits --because "wrong answers"')
    assert out == (
        "digits@1 answers now (0.09 s, 0 requests lost). Undo: %cellship promote digits@2\n"
    )
    [body] = [body for _, path, body in two.seen if path.endswith("/rollback")]
    assert body == {"to": None, "because": "wrong answers", "author": "ann"}
    code, out, _ = typed(capsys, "promote", "digits@v2")
    assert code == 0 and out.startswith("digits@2 answers now")
    assert "%cellship" not in out and "cellship promote digits@1" in out


def test_rollback_of_the_only_version_is_refused(
    service: FakeService, capsys: pytest.CaptureFixture[str]
) -> None:
    service.add_version("digits", DIGEST)
    code, out, err = typed(capsys, "rollback", "digits")
    assert (code, out) == (4, "")
    assert err.startswith("digits has only version 1; cellship pause digits stops it.")


@pytest.mark.parametrize("word", ["2", "v2", "digits@2", "live", "latest"])
def test_a_version_is_understood_in_all_its_forms(two: FakeService, word: str) -> None:
    session = Session()
    invoke(tree, ["logs", "digits", "--version", word], "cellship", session)
    assert two.seen[-1][:2] == ("GET", "/api/v1/deployments/digits/logs")


def test_traffic(two: FakeService, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed(capsys, "traffic", "digits", "1=10", "v2=90%")[0] == 0
    assert two.deployments["digits"]["traffic"] == {"1": 10, "2": 90}
    code, _, err = typed(capsys, "traffic", "digits", "1=10", "2=80")
    assert code == 2 and err.startswith("The shares add up to 90;")


def test_pause_says_why(two: FakeService, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed(capsys, "pause", "digits", "--because", "prices")[0] == 0
    assert two.seen[-1][2] == {"because": "prices", "author": "ann"}
    assert typed(capsys, "resume", "digits")[0] == 0


def test_delete_needs_yes_without_a_terminal(
    two: FakeService, shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Refused) as caught:
        shell.run_line_magic("cellship", "delete digits")
    assert caught.value.message == (
        f"Nothing was deleted. This takes away digits: 2 versions, its address "
        f"{two.address}/digits and its logs. digits@2 answers there now."
    )
    assert "%cellship delete digits --yes" in str(caught.value)
    assert shown(shell, capsys, "delete digits --yes") == "digits is deleted.\n"
    assert two.deployments == {}


def test_call_in_a_notebook_takes_python(
    two: FakeService, shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.user_ns["X"] = [[0, 1], [2, 3]]
    assert shown(shell, capsys, "call digits row=X[1] name='a b' n=len(X) + 1") == "2\n"
    assert two.seen[-1] == ("POST", "/digits", {"row": [2, 3], "name": "a b", "n": 3})


def test_call_in_a_shell_takes_json_else_text(
    two: FakeService, capsys: pytest.CaptureFixture[str]
) -> None:
    two.answer = {"digit": 2}
    assert typed(capsys, "call", "digits@1", "row=[1, 2]", "name=ann") == (
        0,
        '{"digit": 2}\n',
        "",
    )
    assert two.seen[-1] == ("POST", "/digits@1", {"row": [1, 2], "name": "ann"})


def test_call_tells_what_was_wanted(two: FakeService, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = typed(capsys, "call", "digits", "row=text")
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        "row: a list of numbers wanted, got text",
        "  GET /x",
        "  request req-1",
    ]


def test_an_unknown_deployment_is_not_found(
    two: FakeService, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = typed(capsys, "versions", "digts")
    assert code == 3
    assert "There is no deployment digts." in err and "Did you mean digits?" in err


def test_exec_prints_only_the_repr_on_stdout(
    two: FakeService, shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    two.evaluated = {"ok": True, "repr": "[1, 2]", "output": "loading\n"}
    assert typed(capsys, "exec", "digits@1", "f(1, -2)") == (0, "[1, 2]\n", "loading\n")
    asked = two.seen[-1][2]
    assert (asked["version"], asked["expression"]) == ("1", "f(1, -2)")
    assert asked["author"]
    shell.run_line_magic("cellship", 'exec digits [f("x") for x in range(3)]')
    asked = two.seen[-1][2]
    assert (asked["version"], asked["expression"]) == (None, '[f("x") for x in range(3)]')


def test_exec_that_raises_fails(two: FakeService, capsys: pytest.CaptureFixture[str]) -> None:
    two.evaluated = {"ok": False, "error": "ValueError: no", "traceback": "  line 1", "output": ""}
    code, out, err = typed(capsys, "exec", "digits", "f()")
    assert (code, out) == (1, "")
    assert err.startswith("digits: ValueError: no")


def test_diff(two: FakeService, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = typed(capsys, "diff", "digits")
    assert out.splitlines()[0] == "digits@1 -> digits@2: predict, 1 line"
    assert code == 0 and "+    return 2" in out


def test_logs(two: FakeService, capsys: pytest.CaptureFixture[str]) -> None:
    two.logs = [log_line(1, "loading"), log_line(2, "oh", "err"), log_line(5, "x", level="WARNING")]
    code, out, _ = typed(capsys, "logs", "digits")
    assert code == 0
    assert out.splitlines() == [
        "03:04:05Z @2 loading",
        "03:04:05Z @2 err oh",
        "... 2 lines of @2 (r1) are missing here ...",
        "03:04:05Z @2 WARNING x",
    ]
    lines = typed(capsys, "logs", "digits", "-n", "1", "--json")[1].splitlines()
    assert [json.loads(line)["n"] for line in lines] == [5]


def log_line(number: int, text: str, stream: str = "out", level: str | None = None) -> Any:
    return {
        "n": number,
        "time": "2026-01-02T03:04:05.123Z",
        "version": 2,
        "replica": "r1",
        "stream": stream,
        "level": level,
        "request_id": None,
        "text": text,
    }


def test_watch_draws_answers_by_version(
    two: FakeService, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    two.counts = [[1001, 1, 90, 0], [1001, 2, 30, 2], [1002, 2, 120, 0]]
    monkeypatch.setattr("cellship.magics.watching.pause_for", lambda seconds: None)
    assert typed(capsys, "watch", "digits", "--for", "3s")[1].splitlines() == [
        f"00:16:41Z  digits@1 {'█' * 18} 90   digits@2 {'█' * 6} 30 (2 errors)",
        f"00:16:42Z  digits@2 {'█' * 24} 120",
        "00:16:43Z  no calls",
    ]


def test_a_bare_line_says_what_is_live_and_what_is_used_most(
    two: FakeService, shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = shown(shell, capsys, "").splitlines()
    assert lines[1].startswith("digits  digits@2")
    assert sum(line.startswith("  %cellship ") for line in lines) == 6


@pytest.mark.parametrize("word", sorted(later.COMMANDS))
def test_a_word_that_does_not_exist_yet_says_so(
    word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = typed(capsys, word, "--anything", "x")
    assert code == 2
    assert err.splitlines()[0] == f"`cellship {word}` does not exist yet."
    assert word not in tree.commands


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("rolback", "x"), 2, "There is no command rolback. Did you mean rollback?"),
        (("versions", "--jsn"), 2, "cellship versions has no option --jsn. Did you mean --json?"),
        (("versions",), 2, "Missing argument 'NAME'."),
        (("versions", "Churn Model"), 2, '"Churn Model" cannot be a name. Try churn-model.'),
        (("logs", "x@seven"), 2, '"x@seven" names no version. Write churn@7, or live,'),
        (("promote", "x"), 2, "Say which version: cellship promote x@7"),
        (("watch", "x", "--for", "soon"), 2, '"soon" is no length of time. Write 20s, 2m or 1h.'),
        (("traffic", "x", "lots"), 2, '"lots" is no share.'),
        (("call", "digits", "5"), 2, '"5" is no argument.'),
        (("deploy", "x"), 2, "A deploy ships what a notebook holds:"),
        (("explain", "line.nam"), 3, "There is no code line.nam. Near: line.name"),
    ],
)
def test_mistakes(
    service: FakeService,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    code: int,
    sentence: str,
) -> None:
    service.add_version("digits", DIGEST)
    found, out, err = typed(capsys, *words)
    assert (found, out) == (code, "")
    assert err.startswith(sentence)


def test_explain_knows_the_codes_of_all_rooms(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = typed(capsys, "explain", "line.name")
    assert code == 0
    assert out.startswith("line.name: not a name\n\nA deployment's name has small letters")


def test_no_service_is_exit_code_five(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CELLSHIP_URL", raising=False)
    code, out, err = typed(capsys, "--data", str(tmp_path / "none"), "versions", "digits")
    assert (code, out) == (5, "")
    assert err.startswith("The Cellship service is not running.\n  cellship up")
    code, out, _ = typed(capsys, "--data", str(tmp_path / "none"))
    assert code == 0 and out.startswith("Cellship is not running. Start it: cellship up")


def test_doctor_says_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CELLSHIP_URL", raising=False)
    code, out, _ = typed(capsys, "--data", str(tmp_path / "none"), "doctor", "--json")
    findings = {one["what"]: one for one in json.loads(out)}
    assert code == 1
    assert findings["Python"]["ok"] and findings["data folder"]["ok"]
    assert findings["service"] == {
        "what": "service",
        "ok": False,
        "found": "The Cellship service is not running.",
        "fix": "cellship up",
    }


def test_doctor_is_content(service: FakeService, capsys: pytest.CaptureFixture[str]) -> None:
    out = typed(capsys, "doctor")[1]
    assert f"ok       service: 0.1.0 at {service.address}" in out
    assert f"ok       gateway: {service.address}" in out


def test_status_says_what_it_keeps_apart(
    service: FakeService, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "isolated packages; not a security boundary" in typed(capsys, "status")[1]
    assert json.loads(typed(capsys, "status", "--json")[1])["protocol"] == 1


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = typed(capsys, command, "--help")
    assert code == 0 and out.startswith(f"Usage: cellship {command}")
    assert not any(f" {word} " in out for word in ("secret", "schedule", "%%setup"))


def test_an_interrupt_is_exit_code_130() -> None:
    assert exit_code(Session(), raising(KeyboardInterrupt())) == 130


def test_a_mistake_of_ours_in_a_shell_has_no_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert exit_code(Session(), raising(ZeroDivisionError("division by zero"))) == 1
    err = capsys.readouterr().err
    assert err.startswith("Cellship made a mistake: ZeroDivisionError: division by zero")
    assert "Traceback" not in err
    monkeypatch.setenv("CELLSHIP_DEBUG", "1")
    exit_code(Session(), raising(ZeroDivisionError("division by zero")))
    assert "Traceback" in capsys.readouterr().err


def test_an_interrupted_line_of_a_notebook_is_told_in_words(
    shell: InteractiveShell, two: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "cellship.backend.client.Client.deployments", lambda self: raising(KeyboardInterrupt())()
    )
    with pytest.raises(Interrupted, match="Interrupted"):
        shell.run_line_magic("cellship", "deployments")


def test_a_hint_of_a_notebook_has_the_percent_sign(
    shell: InteractiveShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CELLSHIP_URL", raising=False)
    monkeypatch.setenv("CELLSHIP_DATA", str(tmp_path / "none"))
    with pytest.raises(NoBackend) as caught:
        shell.run_line_magic("cellship", "deployments")
    assert caught.value.hint == "%cellship up"


def test_the_command_runs_as_a_process(two: FakeService) -> None:
    command = Path(sys.executable).with_name("cellship")
    done = subprocess.run(
        [command, "versions", "nothing"], capture_output=True, text=True, env=dict(os.environ)
    )
    assert done.returncode == 3
    assert done.stderr.startswith("There is no deployment nothing.")


def raising(error: BaseException) -> Any:
    def action() -> None:
        raise error

    return action

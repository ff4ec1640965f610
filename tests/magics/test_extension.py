"""Loading: light, silent, repeatable, and undone by unload; completion; help."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fake_service import FakeService
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

import cellship
from cellship.magics import later
from cellship.magics.deploy_command import deploy_command
from cellship.magics.docs import DEPLOY
from cellship.magics.extension import loaded_magics
from cellship.magics.line import options

HEAVY = ("requests", "click", "numpy", "pandas", "fastapi", "pydantic", "sqlalchemy", "pygit2")
SERVER = ("fastapi", "uvicorn", "uvloop", "httptools", "pygit2", "sqlalchemy", "alembic", "psutil")


def python(code: str) -> str:
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=dict(os.environ))
    assert done.stderr == ""
    return done.stdout.strip()


def test_importing_cellship_loads_nothing_heavy() -> None:
    code = f"import sys, cellship; print([name for name in {HEAVY} if name in sys.modules])"
    assert python(code) == "[]"


def test_loading_the_extension_is_silent_and_light() -> None:
    code = f"""
import sys
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "cellship")
print([name for name in {HEAVY} if name in sys.modules])
"""
    assert python(code) == "[]"


def test_the_command_tree_needs_no_server_parts() -> None:
    code = f"""
import sys
for name in {SERVER}:
    sys.modules[name] = None  # as where it is not installed
import cellship.magics.command, cellship.magics.api, cellship.magics.ship
from cellship.magics.explain import all_codes
print(len(all_codes()) > 20)
"""
    assert python(code) == "True"


def test_the_name_is_bound_only_if_it_is_free(shell: InteractiveShell) -> None:
    assert shell.user_ns["cellship"] is cellship
    assert "cellship" in shell.user_ns_hidden
    shell.user_ns["cellship"] = 7
    shell.run_line_magic("reload_ext", "cellship")
    assert shell.user_ns["cellship"] == 7


def test_reload_leaves_one_of_everything(shell: InteractiveShell) -> None:
    before = len(shell.Completer.custom_matchers)
    shell.run_line_magic("reload_ext", "cellship")
    assert len(shell.Completer.custom_matchers) == before
    callbacks = [one for one in shell.events.callbacks["pre_run_cell"] if "CellRecord" in repr(one)]
    assert len(callbacks) == 1


def test_unload_takes_everything_away(shell: InteractiveShell) -> None:
    cellship.unload_ipython_extension(shell)
    assert loaded_magics(shell) is None
    assert "deploy" not in shell.magics_manager.magics["cell"]
    assert "cellship" not in shell.magics_manager.magics["line"]
    assert not [one for one in shell.events.callbacks["pre_run_cell"] if "CellRecord" in repr(one)]
    cellship.unload_ipython_extension(shell)  # once more does no harm


def test_help_names_every_option() -> None:
    missing = [name for name in options(deploy_command) if name not in DEPLOY and name != "--help"]
    assert missing == []
    assert not [name for name in later.DEPLOY_OPTIONS if name in DEPLOY]


def test_help_is_shown_by_a_question_mark(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run_cell("%%deploy?")
    shell.run_cell("%cellship?")
    out = capsys.readouterr().out
    assert "Ship the function of this cell as the endpoint NAME." in out
    assert "See and move what is deployed." in out


@pytest.mark.parametrize(
    ("text", "wanted", "unwanted"),
    [
        ("%%deploy x --", "--entry", "--gpu"),
        ("%cellship ", "rollback", "schedule"),
        ("%cellship rollback ", "digits", ""),
        ("%cellship versions digits --", "--json", ""),
        ("%%d", "%%deploy", ""),
        ("%%t", "%%time", "%%train"),
        ("%%set", "", "%%setup"),
    ],
)
def test_completion_in_a_notebook(
    shell: InteractiveShell, service: FakeService, text: str, wanted: str, unwanted: str
) -> None:
    service.add_version("digits", "d" * 64)
    found = offered(shell, text)
    assert not wanted or wanted in found
    assert not unwanted or unwanted not in found


def offered(shell: InteractiveShell, text: str) -> list[str]:
    """The last words that the line could have."""
    with provisionalcompleter():
        found = list(shell.Completer.completions(text, len(text)))
    return [(text[: one.start] + one.text).split()[-1] for one in found]


def test_the_cells_body_is_completed_as_ever(shell: InteractiveShell, service: FakeService) -> None:
    shell.user_ns["weights_of_mine"] = 1
    text = "%%deploy x\nweights_of_m"
    found = offered(shell, text)
    assert found == ["weights_of_mine"]


def test_completion_does_not_wait_for_a_service_that_hangs(
    shell: InteractiveShell, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    from cellship.magics import params

    let_go = threading.Event()
    monkeypatch.setattr(params, "remember_names", lambda session: let_go.wait(30))
    text = "%cellship rollback "
    found = offered(shell, text)
    let_go.set()
    assert "digits" not in found


def test_completion_in_a_shell(service: FakeService) -> None:
    service.add_version("digits", "d" * 64)
    assert completed("cellship roll") == ["rollback"]
    assert completed("cellship rollback di") == ["digits"]
    assert "du" not in completed("cellship d")


def completed(line: str) -> list[str]:
    """What bash is offered at the end of a line."""
    command = Path(sys.executable).with_name("cellship")
    words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split()) - 1)}
    done = subprocess.run(
        [command],
        capture_output=True,
        text=True,
        env=dict(os.environ) | words | {"_CELLSHIP_COMPLETE": "bash_complete"},
    )
    return [line.partition(",")[2] for line in done.stdout.splitlines()]

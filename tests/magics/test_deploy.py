"""`%%deploy` and `%deploy` in a real shell: what happens, what is printed, what fails."""

from __future__ import annotations

from typing import Any

import pytest
from fake_service import ROUTES, FakeService, Problem
from IPython.core.interactiveshell import InteractiveShell

from cellship.magics.interrupts import Interrupted
from cellship.snapshot.errors import (
    CaptureRefused,
    CellshipError,
    Refused,
    StillGoingOn,
    UsageProblem,
)

CELL = "def predict(row):\n    return 2\n"


def run(shell: InteractiveShell, cell: str) -> Any:
    """Run a cell as typed; the error it ended with, None if it did not."""
    return shell.run_cell(cell, store_history=True).error_in_exec


def printed(shell: InteractiveShell, cell: str, capsys: pytest.CaptureFixture[str]) -> str:
    error = run(shell, cell)
    out = capsys.readouterr().out
    assert error is None, error
    return out


def same_but_times(text: str) -> str:
    import re

    return re.sub(r" +\d+\.\d+ s", " T s", text)


def test_the_first_deploy_prints_a_block_of_at_most_eight_lines(
    shell: InteractiveShell, service: FakeService, capsys: pytest.CaptureFixture[str]
) -> None:
    out = printed(shell, f"%%deploy digits\n{CELL}", capsys)
    url = f"{service.address}/digits"
    assert same_but_times(out).splitlines() == [
        "digits@1 is live T s",
        f"  call     {url}",
        f"           curl -s {url}/-/example | curl {url} -d @-",
        "  checked  predict(X[1600].tolist()) gave 2 there as here",
        "  ships    predict (cell 4), model (cell 3, RandomForestClassifier, 1.9 MiB), "
        "2 packages (scikit-learn 1.9.1, ...)",
        f"  moved    {moved(service)} B, packages for the first time",
        "  undo     nothing to go back to yet           logs  %cellship logs digits",
    ]
    assert len(out.splitlines()[0]) == 73


def moved(service: FakeService) -> int:
    return int(service.versions["digits"][0]["bytes_moved"])


def test_the_next_version_is_one_line(
    shell: InteractiveShell, service: FakeService, capsys: pytest.CaptureFixture[str]
) -> None:
    printed(shell, f"%%deploy digits\n{CELL}", capsys)
    out = printed(shell, "%%deploy digits\ndef predict(row):\n    return 3\n", capsys)
    size = service.versions["digits"][1]["bytes_moved"]
    assert same_but_times(out) == (
        f"digits@2 is live, was digits@1 T s · changed: predict, 1 line · moved {size} B · "
        "undo: %cellship rollback digits (digits@1 stays warm)\n"
    )


def test_the_same_cell_again_ships_nothing(
    shell: InteractiveShell, service: FakeService, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run_cell("def predict(row): return 2")
    printed(shell, "%deploy digits --entry predict", capsys)
    before = len(service.seen)
    out = printed(shell, "%deploy digits --entry predict", capsys)
    assert same_but_times(out) == "This is digits@1 already; nothing shipped. T s\n"
    assert [path for method, path, _ in service.seen[before:] if method == "POST"] == [
        "/api/v1/leases"
    ]
    assert service.leases == {}


def test_a_version_marked_bad_is_not_shipped_again(
    shell: InteractiveShell, service: FakeService, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run_cell("def predict(row): return 2")
    printed(shell, "%deploy digits --entry predict", capsys)
    mark = {"by": "ann", "at": "2020-01-01T00:00:00Z", "why": "wrong for region 7"}
    service.versions["digits"][0]["bad"] = mark
    out = printed(shell, "%deploy digits --entry predict", capsys)
    assert out.startswith("This is digits@1, marked bad by ann ")
    assert "days ago: wrong for region 7. Nothing shipped." in out


def test_a_refusal_says_what_still_answers(
    shell: InteractiveShell, service: FakeService, capsys: pytest.CaptureFixture[str]
) -> None:
    printed(shell, f"%%deploy score\n{CELL}", capsys)
    shell.user_ns["session"] = object()
    error = run(shell, f"%%deploy score\n{CELL}x = 1")
    assert type(error) is CaptureRefused
    assert error._render_traceback_() == [
        "%%deploy score: not shipped. score@1 still answers.",
        "  score() reads  session = requests.Session()        cell 7, line 2",
        "  A live connection cannot move to another process.",
        "  Make it in load() of a class.",
        "  capture.live-connection · %cellship explain capture.live-connection",
    ]
    assert service.leases == {}


def test_a_refusal_by_admit_drops_the_lease(shell: InteractiveShell, service: FakeService) -> None:
    service.admit_problem = Problem(422, "capture.secret", "source.py holds a key (line 3).")
    error = run(shell, f"%%deploy score\n{CELL}")
    assert type(error) is CaptureRefused
    assert str(error).startswith("%%deploy score: not shipped.\n  source.py holds a key (line 3).")
    assert service.leases == {} and service.versions == {}


def test_a_version_that_does_not_start_is_told_with_its_last_lines(
    shell: InteractiveShell, service: FakeService, capsys: pytest.CaptureFixture[str]
) -> None:
    printed(shell, f"%%deploy score\n{CELL}", capsys)
    service.start_failure = {
        "message": "In load(), line 3: FileNotFoundError: 'vocab.txt'.",
        "log": [f"line {number}" for number in range(12)],
    }
    error = run(shell, f"%%deploy score\n{CELL}x = 1")
    lines = str(error).splitlines()
    assert lines[0] == (
        "score@2 did not start; score@1 still answers all calls. "
        "In load(), line 3: FileNotFoundError: 'vocab.txt'."
    )
    assert lines[1:3] == ["  Last 10 lines:", "    line 2"]


def test_an_error_of_the_cell_ships_nothing_and_is_the_users(
    shell: InteractiveShell, service: FakeService, capsys: pytest.CaptureFixture[str]
) -> None:
    error = run(shell, "%%deploy score\ndef score(x):\n    return 1\n\nassert score(2) == 2, 'no'")
    assert type(error) is AssertionError
    assert service.seen == []
    shown = capsys.readouterr().out
    assert "assert score(2) == 2" in shown
    assert "magics" not in shown and "run_cell_magic" not in shown and "run_body" not in shown


def test_a_cell_that_cannot_be_parsed_is_told_in_words(
    shell: InteractiveShell, service: FakeService, capsys: pytest.CaptureFixture[str]
) -> None:
    error = run(shell, "%%deploy score\ndef score(x:\n    return 1\n")
    assert "SyntaxError: '(' was never closed\nNothing ran" in str(error)
    assert service.seen == []
    assert "magics" not in capsys.readouterr().out


def test_the_value_of_the_last_line_is_shown_as_in_any_cell(
    shell: InteractiveShell, service: FakeService, capsys: pytest.CaptureFixture[str]
) -> None:
    out = printed(shell, f"%%deploy digits\n{CELL}\npredict([1]) + 40", capsys)
    assert "42" in out.splitlines()[0]


def test_a_plan_ships_nothing(
    shell: InteractiveShell, service: FakeService, capsys: pytest.CaptureFixture[str]
) -> None:
    out = printed(shell, f"%%deploy digits --plan\n{CELL}", capsys)
    assert out.splitlines()[0] == "digits: would ship (nothing was kept)"
    assert "numpy 2.4.6, 6 B: import in cell 1" in out
    assert "moves    712 B that the store lacks" in out
    assert service.leases == {} and service.versions == {}


def test_traffic_zero_makes_a_candidate(
    shell: InteractiveShell, service: FakeService, capsys: pytest.CaptureFixture[str]
) -> None:
    printed(shell, f"%%deploy churn\n{CELL}", capsys)
    out = printed(shell, f"%%deploy churn --traffic 0\n{CELL}x = 1", capsys)
    assert out.startswith(
        "churn@2 is ready but not live: made with --traffic 0. Promote: %cellship promote churn@2"
    )
    assert service.deployments["churn"]["live"] == "churn@1"


def test_replicas_zero_is_stored(
    shell: InteractiveShell, service: FakeService, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run_cell("def f(): return 2")
    out = printed(shell, "%deploy case-a01 --entry f --replicas 0", capsys)
    assert out.startswith("case-a01@1 is stored; no process runs for it (--replicas 0)")
    body = next(body for _, path, body in service.seen if path.endswith("/versions") and body)
    assert body["replicas"] == 0


def test_options_reach_the_service(shell: InteractiveShell, service: FakeService) -> None:
    line = "%%deploy churn --message 'less noise' --tolerance 0.01 --no-example-run --quiet -o done"
    assert run(shell, f"{line}\n{CELL}") is None
    admit = next(body for _, path, body in service.seen if path.endswith("/admit"))
    assert (admit["tolerance"], admit["example_run"]) == (0.01, False)
    version = next(body for _, path, body in service.seen if path.endswith("/versions") and body)
    assert (version["message"], version["author"]) == ("less noise", "ann")
    assert version["settings"] == {"entry": "predict"}
    done = shell.user_ns["done"]
    assert (done.name, done.version, done.url) == ("churn", 1, f"{service.address}/churn")
    assert len(done.snapshot) == 64
    assert done.receipt.packages[0] == "scikit-learn 1.9.1"


def test_quiet_prints_nothing_and_json_prints_json(
    shell: InteractiveShell, service: FakeService, capsys: pytest.CaptureFixture[str]
) -> None:
    import json

    assert printed(shell, f"%%deploy churn --quiet\n{CELL}", capsys) == ""
    out = printed(shell, f"%%deploy churn --json\n{CELL}x = 1", capsys)
    assert json.loads(out)["version"] == 2


def test_a_result_has_text_html_and_data(shell: InteractiveShell, service: FakeService) -> None:
    run(shell, f"%%deploy churn --quiet -o done\n{CELL}")
    bundle = shell.user_ns["done"]._repr_mimebundle_()
    assert bundle["text/plain"].startswith("churn@1 is live")
    assert "<script" not in bundle["text/html"] and "var(--jp-" in bundle["text/html"]
    assert bundle["application/vnd.cellship.deployment.v1+json"]["live"] == "churn@1"


def test_html_is_escaped(shell: InteractiveShell, service: FakeService) -> None:
    run(shell, f"%%deploy churn --quiet -o done\n{CELL}")
    from dataclasses import replace

    done = replace(shell.user_ns["done"], first=False, previous=1, changed=("<b>",))
    assert "<b>" not in done.html() and "&lt;b&gt;" in done.html()


@pytest.mark.parametrize("moment", ["copying", "admit"])
def test_an_interrupt_before_the_version_exists_drops_the_lease(
    shell: InteractiveShell,
    service: FakeService,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
) -> None:
    printed(shell, f"%%deploy score\n{CELL}", capsys)

    def interrupt(*words: Any) -> None:
        raise KeyboardInterrupt

    if moment == "copying":
        monkeypatch.setattr("cellship.magics.deal.fill", interrupt)
    else:
        monkeypatch.setattr("cellship.backend.client.Client.admit", interrupt)
    error = run(shell, f"%%deploy score\n{CELL}x = 1")
    assert isinstance(error, Interrupted)
    assert str(error).splitlines()[0] == "Interrupted: nothing shipped. score@1 still answers."
    assert service.leases == {}
    assert len(service.versions["score"]) == 1


def test_an_interrupt_after_the_version_exists_says_that_it_goes_on(
    shell: InteractiveShell, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*words: Any, **more: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cellship.backend.client.Client.version", interrupt)
    error = run(shell, f"%%deploy score\n{CELL}")
    assert str(error).startswith("Interrupted: score@1 exists and goes on starting")
    assert len(service.versions["score"]) == 1


def test_a_full_disk_is_told_in_words(
    shell: InteractiveShell, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*words: Any) -> None:
        raise OSError(28, "No space left on device", "/data/blobs/b")

    monkeypatch.setattr("cellship.magics.deal.fill", full)
    error = run(shell, f"%%deploy score\n{CELL}")
    assert isinstance(error, CellshipError)
    assert "Copying failed: No space left on device: /data/blobs/b" in str(error)
    assert service.leases == {}


def test_a_mistake_of_ours_is_told_without_a_traceback(
    shell: InteractiveShell, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*words: Any) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("cellship.magics.deal.fill", broken)
    error = run(shell, f"%%deploy score\n{CELL}")
    assert isinstance(error, CellshipError)
    assert error.code == "internal.defect"
    assert service.leases == {}


def test_a_deploy_into_a_paused_deployment_does_not_wait(
    shell: InteractiveShell, service: FakeService, capsys: pytest.CaptureFixture[str]
) -> None:
    printed(shell, f"%%deploy score\n{CELL}", capsys)
    service.deployments["score"]["paused"] = {"by": "ann", "at": "2026-01-01T00:00:00Z"}
    service.start_questions = 1000
    lines = printed(shell, f"%%deploy score\n{CELL}x = 1", capsys).splitlines()
    assert lines[0].startswith("score@2 is stored; it starts when score is resumed   ")
    assert lines[1] == "  score is paused: %cellship resume score"


def test_a_version_that_takes_very_long_is_left_to_itself(
    shell: InteractiveShell, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cellship.magics.ship.STARTED_WITHIN", 0.0)
    error = run(shell, f"%%deploy score\n{CELL}")
    assert type(error) is StillGoingOn
    assert error.message == "score@1 has not started yet; it goes on without this cell."


def test_a_service_of_another_machine_is_refused(
    shell: InteractiveShell, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = FakeService.open_lease

    def elsewhere(self: FakeService, query: Any, body: Any) -> Any:
        status, answer = found(self, query, body)
        return status, answer | {"folder": "/no/such/folder/here"}

    monkeypatch.setattr("fake_service.ROUTES", [("POST", "/api/v1/leases", elsewhere), *ROUTES])
    error = run(shell, f"%%deploy score\n{CELL}")
    assert isinstance(error, Refused)
    assert "runs on another machine" in str(error)
    assert service.leases == {}


def test_a_later_version_of_somebody_else_is_told(
    shell: InteractiveShell, service: FakeService, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two authors at once: both versions exist, the later commit has the traffic."""
    made = service.add_version

    def overtaken(name: str, digest: str, body: Any = None) -> Any:
        answer = made(name, digest, body)
        made(name, "f" * 64, {"author": "bob"})
        return answer

    service.add_version = overtaken  # type: ignore[method-assign]
    out = printed(shell, f"%%deploy score\n{CELL}", capsys)
    assert out.startswith("score@1 is ready; score@2 answers")


MISTAKES = [
    ('%%deploy "Churn Model"\n' + CELL, '"Churn Model" cannot be a name. Try churn-model.'),
    ("%%deploy Churn Model\n" + CELL, '"Churn Model" cannot be a name. Try churn-model.'),
    ("%%deploy\n" + CELL, "A name is missing: %%deploy churn"),
    (
        "%%deploy x\ny = 1",
        "Nothing to call in this cell. End it with a function, or say --entry model.predict.",
    ),
    (
        "%deploy x\ndef f():\n    return 1",
        "%deploy ships something that exists. To ship this cell, use two percent signs: %%deploy x",
    ),
    ("%deploy nothing", "There is no object called nothing in this notebook."),
    ("%deploy x --entry nothing.predict", "There is no object called nothing in this notebook."),
    ("%deploy x --entry sys.nothing", "There is no object called sys in this notebook."),
    ("%%deploy x --replica 1\n" + CELL, "%%deploy has no option --replica."),
    (
        "%%deploy x --gpu\n" + CELL,
        "%%deploy has no --gpu yet; nothing ran and nothing was shipped.",
    ),
    ("%%deploy x --replicas 3\n" + CELL, "--replicas 3 does not exist yet"),
    ("%%deploy x --packages no.txt\n" + CELL, '--packages wants "all" or a requirements file'),
    ("%%train resnet\nx = 1", "%%train does not exist yet; nothing ran."),
    ("%%setup\nx = 1", "%%setup does not exist yet; nothing ran."),
]


@pytest.mark.parametrize(("cell", "sentence"), MISTAKES)
def test_a_mistake_is_met_half_way_before_anything_runs(
    shell: InteractiveShell, service: FakeService, cell: str, sentence: str
) -> None:
    error = run(shell, cell)
    assert type(error) is UsageProblem
    assert str(error).startswith(sentence)
    assert service.seen == []
    assert "predict" not in shell.user_ns

"""Names that cannot be names, at each door."""

from __future__ import annotations

import pytest
from tests.driver import Kernel, Service

NONSENSE = [
    "a/b",
    "..",
    "../../etc",
    "Ünïcode",
    "名前",
    "a" * 300,
    "a-",
    "a.b",
    "a b",
    "A",
    "a\x00b",
    "a@1",
]


@pytest.fixture
def listed(shared: Service) -> list[str]:
    return [each["name"] for each in shared.listed("deployments")]


@pytest.mark.parametrize("nonsense", [each for each in NONSENSE if "\x00" not in each])
def test_in_the_notebook(
    shared: Service, notebook: Kernel, listed: list[str], nonsense: str
) -> None:
    failed = notebook.attempt(f"%%deploy {nonsense}\ndef f(x: int) -> int:\n    return x\n")
    assert failed.error == "UsageProblem"
    assert "cannot be a name" in failed.message
    assert [each["name"] for each in shared.listed("deployments")] == listed


@pytest.mark.parametrize(
    "nonsense", [each for each in NONSENSE if "\x00" not in each and "@" not in each]
)
def test_in_the_shell(shared: Service, nonsense: str) -> None:
    done = shared.command("rollback", "--", nonsense)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert len(done.stderr) < 500


@pytest.mark.parametrize("nonsense", NONSENSE)
def test_at_the_api(shared: Service, nonsense: str) -> None:
    answer = shared.api(
        "POST",
        "/leases",
        {"name": nonsense, "digest": "0" * 64, "settings": {}, "blobs": [], "trees": []},
    )
    assert answer.status_code in (400, 422)
    assert set(answer.json()["error"]) == {"code", "message", "hint", "details", "request_id"}


def test_a_name_may_be_as_long_as_a_dns_label(shared: Service, notebook: Kernel) -> None:
    longest = "n" * 63
    notebook.run(f"%%deploy {longest}\ndef f(x: int) -> int:\n    return x\n")
    assert shared.call(longest, x=1).json() == 1
    assert notebook.attempt(f"%%deploy {longest}n\ndef f(x: int) -> int:\n    return x\n").error


@pytest.mark.parametrize("command", ["versions", "logs", "rollback", "pause", "watch", "diff"])
def test_what_does_not_exist_is_said_with_near_names(
    shared: Service, notebook: Kernel, command: str
) -> None:
    notebook.run("%%deploy weather\ndef f(x: int) -> int:\n    return x\n")
    done = shared.command(command, "wether")
    assert done.returncode == 3
    assert "weather" in done.stderr

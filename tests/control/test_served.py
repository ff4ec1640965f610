"""A stored snapshot is served: routes, versions, rollback, logs, through real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import psutil
import pytest
import requests
from tests.control.conftest import Ship

from cellship.backend.client import Client
from cellship.backend.client_answers import Same, Version
from cellship.backend.launch import down
from cellship.snapshot.errors import NotFound, Refused

FIRST = '''
def predict(x: int) -> int:
    """One more."""
    print("first saw", x)
    return x + 1
'''
SECOND = FIRST.replace("x + 1", "x + 2").replace("first saw", "second saw")
CRASHES = (
    "import os\nif __name__ == '__main__' and 'CELLSHIP_REPLICA' in os.environ:\n    os._exit(3)\n"
)


def call(client: Client, path: str, x: int = 1) -> requests.Response:
    return requests.post(f"{client.connection.gateway}/{path}", json={"x": x}, timeout=30)


def test_first_version_answers(client: Client, ship: Ship) -> None:
    version = ship("adder", FIRST)
    assert (version.state, version.share, version.author) == ("ready", 100, "ann")
    answer = call(client, "adder")
    assert (answer.status_code, answer.json()) == (200, 2)
    assert answer.headers["Cellship-Version"] == "adder@1"
    assert client.deployment("adder").live == "adder@1"


def test_second_version_takes_over_and_rollback_brings_the_first_back(
    client: Client, ship: Ship
) -> None:
    ship("adder", FIRST)
    ship("adder", SECOND)
    assert call(client, "adder").json() == 3
    assert call(client, "adder@1").json() == 2
    moved = client.rollback("adder", None, "too much", "bob")
    assert moved.live == "adder@1"
    assert moved.left == ("adder@2",)
    assert moved.lost == 0
    assert "adder@2 is marked bad" in moved.message
    assert moved.undo == "%cellship promote adder@2"
    assert call(client, "adder").json() == 2
    bad = client.version("adder", "2").bad
    assert bad is not None and (bad["by"], bad["why"]) == ("bob", "too much")
    with pytest.raises(Refused, match="oldest version"):
        client.rollback("adder", None, "", "bob")
    client.promote("adder", "adder@2", "bob")
    assert call(client, "adder").json() == 3


def test_same_again_makes_no_version(client: Client, ship: Ship) -> None:
    ship("adder", FIRST)
    digest = client.version("adder", "1").digest
    same = client.open_lease("adder", digest, {"entry": "predict"}, {}, [])
    assert isinstance(same, Same)
    assert (same.version, same.marked_bad) == (1, None)


def test_version_that_does_not_start_leaves_the_old_one(client: Client, ship: Ship) -> None:
    ship("adder", FIRST)
    version = ship("adder", FIRST + CRASHES)
    assert version.state == "failed"
    assert version.failure is not None and "code 3" in version.failure["message"]
    assert call(client, "adder").json() == 2
    assert client.deployment("adder").live == "adder@1"
    version = ship("adder", SECOND)
    assert (version.version, version.state) == (3, "ready")


def test_candidate_waits_for_promotion(client: Client, ship: Ship) -> None:
    ship("adder", FIRST)
    version = ship("adder", SECOND, candidate=True)
    assert (version.state, version.share) == ("candidate", 0)
    assert call(client, "adder").json() == 2
    assert call(client, "adder@2").json() == 3
    client.promote("adder", "2", "ann")
    assert call(client, "adder").json() == 3


def test_discarded_candidate_is_gone(client: Client, ship: Ship) -> None:
    ship("adder", FIRST)
    ship("adder", SECOND, candidate=True)
    client.delete_version("adder", "2", "ann")
    assert [version.version for version in client.versions("adder")] == [1]
    assert call(client, "adder@2").status_code == 404


def test_pause_and_resume(client: Client, ship: Ship) -> None:
    ship("adder", FIRST)
    client.pause("adder", "maintenance", "ann")
    answer = call(client, "adder")
    assert answer.status_code == 503
    assert "ann" in answer.json()["error"]["message"]
    assert client.deployment("adder").state == "paused"
    client.resume("adder", "ann")
    assert call(client, "adder").json() == 2


def test_traffic_is_split(client: Client, ship: Ship) -> None:
    ship("adder", FIRST)
    ship("adder", SECOND)
    client.traffic("adder", {"1": 50, "v2": 50}, "ann")
    assert {call(client, "adder").json() for _ in range(60)} == {2, 3}


def test_no_replicas(client: Client, ship: Ship) -> None:
    version = ship("adder", FIRST, replicas=0)
    assert version.state == "stopped"
    answer = call(client, "adder")
    assert answer.status_code == 503
    assert "--replicas 0" in answer.json()["error"]["message"]
    assert client.evaluate("adder", None, "predict(41)").repr == "42"


def test_logs_of_a_version(client: Client, ship: Ship) -> None:
    ship("adder", FIRST)
    request = call(client, "adder", 5).headers["X-Request-Id"]
    [line] = [line for line in client.logs("adder").lines if "first saw" in line["text"]]
    assert (line["text"], line["stream"], line["version"]) == ("first saw 5", "out", 1)
    assert line["request_id"] == request


def test_exec_reports_errors(client: Client, ship: Ship) -> None:
    ship("adder", FIRST)
    found = client.evaluate("adder", None, "predict(1) / 0")
    assert not found.ok
    assert "ZeroDivisionError" in found.error


def test_delete_ends_everything(client: Client, ship: Ship) -> None:
    ship("adder", FIRST)
    client.delete("adder", "ann")
    assert call(client, "adder").status_code == 404
    with pytest.raises(NotFound):
        client.deployment("adder")
    version = ship("adder", SECOND)
    assert version.version == 2


def test_worker_that_died_is_replaced(client: Client, ship: Ship) -> None:
    ship("adder", FIRST)
    replica = kill_worker(client, ship)
    answer = call(client, "adder")
    assert answer.json() == 2
    assert answer.headers["Cellship-Replica"] != replica


def test_control_plane_that_was_killed_adopts_what_runs(client: Client, ship: Ship) -> None:
    ship("adder", FIRST)
    replica = call(client, "adder").headers["Cellship-Replica"]
    control = psutil.Process(json.loads((ship.data / "run" / "backend.json").read_text())["pid"])
    os.kill(control.pid, signal.SIGKILL)
    assert call(client, "adder").json() == 2
    again = up_again(ship.data)
    assert call(again, "adder").headers["Cellship-Replica"] == replica
    assert again.version("adder", "1", wait=10).state == "ready"
    assert fsck(ship.data) == 0


def kill_worker(client: Client, ship: Ship) -> str:
    """Kill the replica that answers; its id."""
    replica = call(client, "adder").headers["Cellship-Replica"]
    [worker] = [process for process in processes(ship.data) if replica_of(process) == replica]
    worker.kill()
    worker.wait(10)
    return replica


def up_again(data: Path) -> Client:
    from cellship.backend.launch import up

    return Client(up(data, lambda line: None))


def fsck(data: Path) -> int:
    return subprocess.run(
        ["git", "-C", data / "workspace.git", "fsck", "--strict"], capture_output=True
    ).returncode


def processes(data: Path) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(str(data) in word for word in process.info["cmdline"] or ())
    ]


def replica_of(process: psutil.Process) -> str:
    try:
        return process.environ().get("CELLSHIP_REPLICA", "") or Path(process.cwd()).parent.name
    except psutil.Error:
        return ""


def test_large_graph_is_a_pointer_in_git(client: Client, ship: Ship) -> None:
    """A data frame's text lies in the graph itself; git keeps its digest only."""
    ship.graph = b"x" * (2 * 1024 * 1024)
    ship("adder", FIRST)
    git = ["git", "-C", ship.data / "workspace.git", "show"]
    shown = subprocess.run(
        [*git, "main:deployments/adder/values/graph.pkl"], capture_output=True, check=True
    ).stdout
    assert shown.startswith(b"version https://git-lfs")
    snapshot = ship.data / "snapshots" / client.version("adder", "1").digest
    snapshot.rename(snapshot.with_name("away"))
    kill_worker(client, ship)
    assert call(client, "adder").json() == 2
    assert (snapshot / "values" / "graph.pkl").stat().st_size == len(ship.graph)


def test_replicas_are_a_setting_of_the_deployment(client: Client, ship: Ship) -> None:
    ship("adder", FIRST)
    assert client.scale("adder", 0, "ann").message == "adder has 0 replicas now, 1 before."
    assert call(client, "adder").status_code == 503
    client.scale("adder", 1, "ann")
    assert call(client, "adder").json() == 2
    assert len(client.versions("adder")) == 1


def test_version_made_in_a_pause_answers_after_it(client: Client, ship: Ship) -> None:
    ship("adder", FIRST)
    client.pause("adder", "", "ann")
    assert ship("adder", SECOND).state in ("warm", "stopped")
    assert call(client, "adder").status_code == 503
    client.resume("adder", "ann")
    assert call(client, "adder").json() == 3


def test_lost_database_is_made_again(client: Client, ship: Ship) -> None:
    """All but events, metrics and tokens follow from git and the store (DESIGN.md 3.1)."""
    for source in (FIRST, FIRST + CRASHES, SECOND):
        ship("adder", source)
    client.rollback("adder", None, "", "ann")
    before = client.versions("adder")
    down(ship.data)
    for file in ship.data.glob("state.db*"):
        file.unlink()
    again = up_again(ship.data)
    for number in (3, 2, 1):
        again.version("adder", str(number), wait=60)
    after = again.versions("adder")
    assert [facts(version) for version in after] == [facts(version) for version in before]
    assert call(again, "adder").json() == 2


def facts(version: Version) -> tuple[object, ...]:
    return version.version, version.digest, version.share, version.bad, version.failure


HANGS = """
import time

def predict(x: int) -> int:
    while x == 13:
        time.sleep(0.1)
    return x + 1
"""


def test_replica_that_hangs_is_replaced(client: Client, ship: Ship) -> None:
    ship("adder", HANGS, settings={"timeout": 1})
    replica = call(client, "adder").headers["Cellship-Replica"]
    assert call(client, "adder", 13).status_code == 504
    answer = call(client, "adder")
    assert answer.json() == 2
    assert answer.headers["Cellship-Replica"] != replica
    assert "replaced" in [event["kind"] for event in client.events("adder")]

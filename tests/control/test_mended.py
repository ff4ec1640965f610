"""What a crash between two steps leaves, and what mends it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import requests
from tests.control.conftest import Ship

from cellship.backend.client import Client
from cellship.backend.client_answers import Lease
from cellship.backend.control.routes import DeploymentRoute, Routes
from cellship.backend.data_folder import make_data_folder
from cellship.backend.launch import down, up
from cellship.snapshot.errors import Refused

SOURCE = "def predict(x: int) -> int:\n    return x + 1\n"
SLOW_TO_LOAD = (
    """
import os, time
while "CELLSHIP_REPLICA" in os.environ and os.path.exists({flag!r}):
    time.sleep(0.05)
"""
    + SOURCE
)
ENDLESS = SOURCE + "import os\nwhile 'CELLSHIP_REPLICA' not in os.environ:\n    pass\n"


def call(client: Client, name: str = "adder") -> requests.Response:
    return requests.post(f"{client.connection.gateway}/{name}", json={"x": 1}, timeout=30)


def kill(ship: Ship, what: str) -> None:
    [process] = running(ship, what)
    process.kill()
    process.wait(10)


def running(ship: Ship, what: str = "") -> list[psutil.Process]:
    """Processes of the service, or those with this word in their command."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or ()  # none of one that only waits to be reaped
        if any(str(ship.data) in word for word in words) and (not what or what in words):
            found.append(process)
    return found


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_table_that_nobody_took_is_offered_again(tmp_path: Path) -> None:
    """A control plane that was killed between the file and the word to the gateway."""
    data = make_data_folder(tmp_path / "data")
    route = DeploymentRoute({}, {}, no_answer="nobody")
    asyncio.run(Routes(data, tmp_path / "none.sock").put("adder", route))

    async def again() -> tuple[bool, list[str]]:
        heard: list[str] = []

        async def gateway(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.append(json.loads(await reader.readline())["do"])
            generation = json.loads(data.routes.read_text())["generation"]
            writer.write(json.dumps({"generation": generation}).encode() + b"\n")
            writer.close()

        server = await asyncio.start_unix_server(gateway, str(tmp_path / "gateway.sock"))
        routes = Routes(data, tmp_path / "gateway.sock")
        routes.load()
        taken = await routes.put("adder", route)
        server.close()
        return taken, heard

    assert asyncio.run(again()) == (True, ["reload"])


def test_version_that_loads_slowly_does_not_keep_a_restarted_service_away(
    client: Client, ship: Ship, tmp_path: Path
) -> None:
    flag = tmp_path / "flag"
    flag.touch()
    ship("adder", SOURCE)
    ship.commit("adder", SLOW_TO_LOAD.format(flag=str(flag)))
    kill(ship, "cellship.backend.control")
    again = Client(up(ship.data, lambda line: None))
    assert again.version("adder", "2").state == "starting"
    assert call(again).json() == 2
    flag.unlink()
    assert again.version("adder", "2", wait=60).state == "ready"


def test_commit_whose_answer_was_lost_is_not_made_twice(client: Client, ship: Ship) -> None:
    lease, digest = ship.lease("adder", SOURCE)
    body = {"name": "adder", "digest": digest, "settings": {"entry": "predict"}}
    assert client.admit(lease.id, body | {"example_run": False})["ok"]
    first = client.commit(lease.id, body)
    second = client.commit(lease.id, body)
    assert (first.version, second.version, second.created) == (1, 1, True)
    assert not list((ship.data / "leases").iterdir())


def test_settings_that_were_not_admitted_are_refused(client: Client, ship: Ship) -> None:
    lease, digest = ship.lease("adder", SOURCE + "other = predict\n")
    body = {"name": "adder", "digest": digest}
    entry = {"settings": {"entry": "predict"}, "example_run": False}
    assert client.admit(lease.id, body | entry)["ok"]
    with pytest.raises(Refused, match="was not admitted"):
        client.commit(lease.id, body | {"settings": {"entry": "other"}})


def test_dropped_lease_ends_its_check(client: Client, ship: Ship) -> None:
    lease, digest = ship.lease("adder", ENDLESS)
    body = {"name": "adder", "digest": digest, "settings": {"entry": "predict"}}
    refused: list[Refused] = []

    def check() -> None:
        try:
            Client(client.connection).admit(lease.id, body)
        except Refused as error:
            refused.append(error)

    asking = threading.Thread(target=check)
    asking.start()
    wait_for_check(ship)
    client.drop_lease(lease.id)
    asking.join(30)
    assert refused and refused[0].code == "store.no-lease"
    assert not running(ship, "admit")


def wait_for_check(ship: Ship) -> None:
    """A worker that checks something is there."""
    pause = threading.Event()
    while not running(ship, "admit"):
        pause.wait(0.02)


def test_files_of_a_lease_that_nobody_verified_are_not_served(client: Client, ship: Ship) -> None:
    lease, digest = ship.lease("adder", SOURCE)
    os.symlink("/etc/hostname", lease.folder / "snapshot" / "linked")
    body = {"name": "adder", "digest": digest, "settings": {"entry": "predict"}}
    with pytest.raises(Refused, match="only plain files"):
        client.admit(lease.id, body)


def test_lease_has_the_id_that_was_asked_for(client: Client, ship: Ship) -> None:
    ask = {"name": "adder", "digest": "0" * 64, "settings": {}, "lease": "f" * 32}
    for _ in range(2):
        answer = client._wire.ask("POST", "/leases", ask)
        assert answer["lease"] == "f" * 32
    client.drop_lease("f" * 32)
    assert isinstance(client.open_lease("adder", "0" * 64, {}, {}, []), Lease)


def test_down_ends_what_a_killed_supervisor_left(client: Client, ship: Ship) -> None:
    ship("adder", SOURCE)
    kill(ship, "cellship.backend.supervise")
    assert call(client).json() == 2
    assert down(ship.data)
    _, left = psutil.wait_procs(running(ship), timeout=30)  # the old gateway ends by itself
    assert [process.cmdline() for process in left if is_alive(process)] == []


def test_problem_of_a_restart_stops_nothing_that_serves(client: Client, ship: Ship) -> None:
    """The API's port is taken while the control plane is away."""
    ship("adder", SOURCE)
    [supervisor] = running(ship, "cellship.backend.supervise")
    supervisor.send_signal(signal.SIGSTOP)  # so that the port is free for a moment
    kill_stopped(ship)
    port = int(client.connection.address.rpartition(":")[2])
    with listening(port):
        supervisor.send_signal(signal.SIGCONT)
        with pytest.raises(Refused, match="is taken"):
            up(ship.data, lambda line: None)
        assert call(client).json() == 2
    again = Client(up(ship.data, lambda line: None))
    assert call(again).json() == 2


@contextmanager
def listening(port: int) -> Iterator[None]:
    """Take a port as soon as a killed process has let go of it."""
    deadline = time.monotonic() + 10
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        while True:
            try:
                taken.bind(("127.0.0.1", port))
                break
            except OSError:
                assert time.monotonic() < deadline
        taken.listen()
        yield


def kill_stopped(ship: Ship) -> None:
    """Kill the control plane while its parent cannot reap it."""
    [control] = running(ship, "cellship.backend.control")
    control.kill()
    while control.status() != psutil.STATUS_ZOMBIE:
        threading.Event().wait(0.01)

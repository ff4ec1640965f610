"""SIGKILL of the supervisor: everything runs on, and the next one takes it over."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import psutil
from tests.supervise.nest import Nest, command

from cellship.backend.supervise import processes
from cellship.backend.supervise.records import Record, Records, left_behind


def kill_supervisor(nest: Nest) -> None:
    nest.supervisors[-1].kill()
    nest.supervisors[-1].wait()


def test_everything_runs_on_and_is_adopted(nest: Nest) -> None:
    replica = nest.sleeper()
    before = nest.children()
    kill_supervisor(nest)
    assert nest.answers()
    assert all(psutil.pid_exists(pid) for pid in before.values())

    nest.start()
    after = nest.children()
    assert after["r1"] == replica["pid"]
    assert after["gateway"] != before["gateway"]
    assert after["control"] != before["control"]
    nest.until(lambda: not psutil.pid_exists(before["gateway"]))
    nest.until(lambda: set(nest.children()) == {"r1", "gateway", "control"})
    assert not psutil.pid_exists(before["control"])


def test_an_adopted_replica_is_known_by_its_id(nest: Nest) -> None:
    replica = nest.sleeper()
    kill_supervisor(nest)
    nest.start()
    assert nest.order("r1", "pass") == replica
    assert nest.ask({"do": "kill", "id": "r1", "signal": 15}) == {"ok": True}
    end = nest.wait("r1")
    assert (end["pid"], end["code"], end["signal"]) == (replica["pid"], None, None)
    assert nest.exits()[-1] == end
    assert "r1" not in nest.children()


def test_a_replica_that_ended_meanwhile_is_recorded(nest: Nest) -> None:
    replica = nest.sleeper()
    kill_supervisor(nest)
    os.kill(replica["pid"], signal.SIGKILL)
    nest.until(lambda: not processes.is_alive(replica["pid"], replica["started"]))
    nest.start()
    assert nest.wait("r1")["code"] is None
    assert "r1" not in nest.children()


def test_a_gateway_that_ended_meanwhile_is_replaced(nest: Nest) -> None:
    gateway = nest.children()["gateway"]
    kill_supervisor(nest)
    os.kill(gateway, signal.SIGKILL)
    nest.start()
    assert nest.answers()


def test_a_gateway_that_hangs_is_replaced(nest: Nest) -> None:
    gateway = nest.children()["gateway"]
    kill_supervisor(nest)
    os.kill(gateway, signal.SIGSTOP)
    nest.start()
    assert nest.answers()
    nest.until(
        lambda: not processes.stat_fields(gateway) or processes.stat_fields(gateway)[0] == "Z"
    )


def test_stop_after_an_adoption_leaves_nothing(nest: Nest) -> None:
    nest.sleeper("r1")
    nest.sleeper("r2")
    kill_supervisor(nest)
    nest.start()
    assert nest.ask({"do": "stop"}) == {"ok": True}
    nest.until(lambda: nest.processes() == [])
    assert not nest.sockets.exists()


def test_no_request_fails_while_supervisors_come_and_go(nest: Nest) -> None:
    stop = threading.Event()
    with ThreadPoolExecutor(4) as pool:
        clients = [pool.submit(ask_again, nest.port, stop) for _ in range(4)]
        for _ in range(3):
            kill_supervisor(nest)
            nest.start()
        nest.until(lambda: len(nest.children("gateway")) == 1, 30)
        stop.set()
    assert all(client.result() > 10 for client in clients)


def ask_again(port: int, stop: threading.Event) -> int:
    """Ask until told to stop; how often. Raises where there was no answer."""
    asked = 0
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    while not stop.is_set():
        connection.request("GET", "/")
        response = connection.getresponse()
        assert response.status == 404
        response.read()
        asked += 1
    connection.close()
    return asked


def test_killed_again_and_again_nobody_is_forgotten(nest: Nest) -> None:
    """A supervisor killed at any moment of its start leaves records that the next one can use."""
    replica = nest.sleeper()
    kill_supervisor(nest)
    for pause in range(0, 120, 8):
        process = nest.spawn()
        try:
            process.wait(pause / 1000)
        except subprocess.TimeoutExpired:  # it still runs, as it should
            process.kill()
            process.wait()
    nest.start()
    assert nest.children()["r1"] == replica["pid"]
    nest.until(lambda: set(nest.children()) == {"r1", "gateway", "control"}, 30)
    running = [one for one in nest.processes() if "time.sleep" in command(one)]
    supervisors = {one.pid for one in nest.supervisors}
    kept = [one for one in running if one.pid not in supervisors]
    assert sorted(one.pid for one in kept) == sorted([replica["pid"], nest.children()["control"]])


def test_a_child_whose_pid_was_never_written_is_found(nest: Nest) -> None:
    """The supervisor died between starting it and writing it down."""
    replica = nest.sleeper()
    kill_supervisor(nest)
    file = nest.folder / "run" / "children.json"
    facts = json.loads(file.read_text())
    for one in facts["children"]:
        if one["id"] == "r1":
            one.update(pid=0, started=0.0)
    file.write_text(json.dumps(facts))
    nest.start()
    assert nest.children()["r1"] == replica["pid"]


def test_the_pids_of_another_boot_are_nobodys(tmp_path: Path) -> None:
    started = processes.start_time(os.getpid())
    assert started is not None
    file = tmp_path / "children.json"
    Records(file, []).put(Record("r1", "replica", os.getpid(), started, [], "/"))
    assert left_behind(file)[0].pid == os.getpid()
    file.write_text(file.read_text().replace(processes.boot_id(), "another"))
    assert left_behind(file)[0].pid == 0


def test_damaged_records_are_nobodys(tmp_path: Path) -> None:
    file = tmp_path / "children.json"
    assert left_behind(file) == []
    for text in ("{", "[]", '{"boot": "x", "children": [{"id": 1}]}'):
        file.write_text(text)
        assert left_behind(file) == []

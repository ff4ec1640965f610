"""The routing table: traffic, a new table under load, replicas that come and go."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.gateway.rig import Rig, answers_of


def versions(rig: Rig, calls: int) -> Counter[int]:
    """Which version answered how many of some calls."""
    with rig.connect() as wire:
        wire.sendall(rig.post(b'{"do": "who"}') * calls)
        return Counter(one.json["version"] for one in answers_of(wire, calls))


def test_traffic_is_split_by_shares(rig: Rig) -> None:
    for number in (1, 2, 3):
        rig.deploy(version=number)
    rig.deployments["digits"]["traffic"] = {"1": 70, "2": 25, "3": 5}
    rig.start()
    assert versions(rig, 200) == {1: 140, 2: 50, 3: 10}


def test_a_version_can_be_named_whatever_the_traffic_is(rig: Rig) -> None:
    for number in (1, 2):
        rig.deploy(version=number)
    rig.start()
    assert rig.call("/digits@1", do="who").json["version"] == 1
    assert rig.call("/digits", do="who").json["version"] == 2


def test_a_version_without_replicas_leaves_its_share_to_the_others(rig: Rig) -> None:
    for number in (1, 2):
        rig.deploy(version=number)
    rig.deployments["digits"]["traffic"] = {"1": 50, "2": 50}
    rig.deployments["digits"]["versions"]["2"]["replicas"] = []
    rig.start()
    assert versions(rig, 10) == {1: 10}
    assert rig.call("/digits@2").code == "replica.none"


def test_calls_go_to_the_replica_with_the_fewest(rig: Rig) -> None:
    ids = rig.deploy(replicas=3)
    rig.start()
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: rig.call(do="sleep", seconds=0.5), range(3)))
    assert {one.headers["Cellship-Replica"] for one in answers} == set(ids)


@pytest.mark.parametrize(
    ("change", "status", "code", "words"),
    [
        ({"traffic": {}}, 503, "replica.none", "Nobody."),
        ({"traffic": {"9": 100}}, 503, "replica.none", "Nobody."),
        ({"access": "token"}, 401, "access.token", "token"),
        (
            {"paused": {"by": "ann", "at": "2026-11-20T10:00:00Z"}},
            503,
            "deployment.paused",
            "digits was paused by ann at 2026-11-20T10:00:00Z.",
        ),
    ],
)
def test_who_takes_no_calls_says_why(
    rig: Rig, change: dict[str, object], status: int, code: str, words: str
) -> None:
    rig.deploy()
    rig.deployments["digits"].update(change)
    rig.start()
    answer = rig.call(row=[1])
    assert (answer.status, answer.code) == (status, code)
    assert words in answer.message
    assert ("Retry-After" in answer.headers) == (status == 503)
    assert rig.request("GET", "/digits/-/health").status == status


def test_a_new_table_takes_effect_without_a_failed_request(rig: Rig) -> None:
    rig.deploy(version=1)
    rig.start()
    stop = threading.Event()
    with ThreadPoolExecutor(9) as pool:
        clients = [pool.submit(load, rig, stop) for _ in range(8)]
        for number in (2, 3, 4, 5):
            rig.deploy(version=number)
            old = rig.deployments["digits"]["versions"].pop(str(number - 1))
            assert rig.reload() == {"ok": True, "generation": rig.generation, "unready": []}
            assert rig.call(do="who").json["version"] == number
            [left] = old["replicas"]
            rig.until(lambda left=left: left["id"] not in rig.ask({"do": "in_flight"})["replicas"])
            rig.kill(left["id"])
        stop.set()
    seen = [client.result() for client in clients]
    assert {status for statuses in seen for status in statuses} == {200}
    assert sum(map(len, seen)) > 50


def load(rig: Rig, stop: threading.Event) -> list[int]:
    statuses = []
    with rig.connect() as wire:
        while not stop.is_set():
            wire.sendall(rig.post(b'{"row": [1, 2, 3]}'))
            statuses += [one.status for one in answers_of(wire, 1)]
    return statuses


def test_a_call_in_flight_is_finished_by_the_version_that_has_it(rig: Rig) -> None:
    [old] = rig.deploy(version=1)
    rig.start()
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(rig.call, do="sleep", seconds=1.0)
        rig.until(lambda: rig.ask({"do": "in_flight"})["replicas"] == {old: 1})
        [new] = rig.deploy(version=2)
        del rig.deployments["digits"]["versions"]["1"]
        rig.reload()
        assert rig.call(do="who").json["version"] == 2
        assert rig.ask({"do": "in_flight"})["replicas"] == {old: 1, new: 0}
        assert call.result().headers["Cellship-Version"] == "digits@1"
    rig.until(lambda: rig.ask({"do": "in_flight"})["replicas"] == {new: 0})


def test_a_switch_waits_for_a_new_replica_to_be_ready(rig: Rig) -> None:
    rig.deploy(version=1)
    rig.start()
    [new] = rig.deploy(version=2, state="starting")
    with ThreadPoolExecutor(1) as pool:
        switch = pool.submit(rig.reload)
        assert rig.call(do="who").json["version"] == 1
        rig.workers[new].send_signal(signal.SIGUSR1)
        assert switch.result()["unready"] == []
    assert rig.call(do="who").json["version"] == 2


def test_a_switch_does_not_wait_for_ever(rig: Rig) -> None:
    rig.limits = {"connect": 0.2}
    rig.deploy(version=1)
    rig.start()
    [new] = rig.deploy(version=2, state="starting")
    assert rig.reload()["unready"] == [new]
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(rig.call, do="who")
        rig.workers[new].send_signal(signal.SIGUSR1)
        assert call.result().json["version"] == 2


@pytest.mark.parametrize("wrong", ["id", "digest"])
def test_somebody_else_behind_the_socket_is_not_asked(rig: Rig, wrong: str) -> None:
    rig.limits = {"connect": 0.2, "unready": 0.3}
    rig.deploy()
    [entry] = rig.deployments["digits"]["versions"]["1"]["replicas"]
    entry[wrong] = "another"
    rig.start()
    assert rig.call().code == "replica.none"
    assert "is digits-1-0 with snapshot digest-1" in rig.output()


def test_a_damaged_table_changes_nothing(own_digits: Rig) -> None:
    routes = own_digits.folder / "run" / "routes.json"
    for text in ("{", '{"format": 99}', "[]", '{"format": 1}'):
        routes.write_text(text)
        answer = own_digits.ask({"do": "reload"})
        assert (answer["ok"], answer["generation"]) == (False, own_digits.generation)
        assert own_digits.call(row=[1]).json == 1


def test_calls_that_wait_go_where_the_new_table_says(rig: Rig) -> None:
    [old] = rig.deploy(version=1)
    rig.start()
    with ThreadPoolExecutor(5) as pool:
        first = pool.submit(rig.call, do="sleep", seconds=1.0)
        rig.until(lambda: rig.ask({"do": "in_flight"})["replicas"] == {old: 1})
        others = [pool.submit(rig.call, do="who") for _ in range(4)]
        rig.until(lambda: health(rig)["waiting"] == 4)
        rig.deploy(version=2)
        rig.reload()
        assert [one.result().json["version"] for one in others] == [2] * 4
        assert not first.done()
        assert first.result().json == "slept"


def health(rig: Rig) -> dict[str, int]:
    [state] = rig.request("GET", "/digits/-/health").json["versions"]
    found: dict[str, int] = state
    return found


def test_the_queue_has_an_end(rig: Rig) -> None:
    rig.limits = {"queue": 3}
    rig.deploy()
    rig.start()
    with ThreadPoolExecutor(4) as pool:
        begun = [pool.submit(rig.call, do="sleep", seconds=1.0)]
        rig.until(lambda: health(rig)["in_flight"] == 1)
        begun += [pool.submit(rig.call, row=[1]) for _ in range(3)]
        rig.until(lambda: health(rig)["waiting"] == 3)
        refused = rig.call(row=[1])
        assert (refused.status, refused.code) == (503, "queue.full")
        assert refused.headers["Retry-After"] == "1"
        assert [one.result().status for one in begun] == [200] * 4


def test_a_worker_that_dies_with_a_call_costs_that_call(rig: Rig) -> None:
    rig.deploy(replicas=2)
    rig.start()
    answer = rig.call(do="die")
    assert (answer.status, answer.code) == (502, "replica.died")
    assert [rig.call(row=[1]).status for _ in range(5)] == [200] * 5


def test_a_replica_that_comes_back_is_found(own_digits: Rig) -> None:
    own_digits.kill("digits-1-0")
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(own_digits.call, row=[4])
        own_digits.work("digits-1-0", "digits", 1)
        assert call.result().json == 4


def test_without_any_replica_a_call_waits_only_so_long(rig: Rig) -> None:
    rig.limits = {"unready": 0.3}
    rig.deploy()
    rig.start()
    rig.kill("digits-1-0")
    answer = rig.call(row=[1])
    assert (answer.status, answer.code) == (503, "replica.none")


def test_a_call_that_a_stopping_replica_did_not_begin_goes_elsewhere(rig: Rig) -> None:
    for number in (1, 2):
        rig.deploy(version=number)
    replicas = rig.deployments["digits"]["versions"]["1"]["replicas"]
    replicas += rig.deployments["digits"]["versions"].pop("2")["replicas"]
    rig.deployments["digits"]["traffic"] = {"1": 100}
    rig.start()
    assert rig.call(do="stopping").json == 2


def test_a_worker_that_speaks_no_frames_is_left(rig: Rig) -> None:
    rig.deploy(replicas=2)
    rig.start()
    assert rig.call(do="garbage").status == 502
    assert rig.call(row=[1]).status == 200


def test_a_call_that_takes_too_long(rig: Rig) -> None:
    [replica] = rig.deploy(timeout=0.3)
    rig.start()
    began = time.monotonic()
    answer = rig.call(do="sleep", seconds=2.0)
    assert (answer.status, answer.code) == (504, "call.timeout")
    assert time.monotonic() - began < 1.5
    hung = rig.ask({"do": "hung", "wait": 5})["replicas"]
    assert hung[replica]["calls"] == [answer.headers["X-Request-Id"]]
    assert rig.ask({"do": "in_flight"})["replicas"] == {replica: 1}
    rig.until(lambda: rig.ask({"do": "hung"})["replicas"] == {})
    assert rig.call(row=[1]).status == 200


def test_a_call_whose_caller_left_keeps_its_place_until_the_worker_is_done(own_digits: Rig) -> None:
    with own_digits.connect() as wire:
        wire.sendall(own_digits.post(b'{"do": "sleep", "seconds": 0.5}'))
        own_digits.until(lambda: health(own_digits)["in_flight"] == 1)
    own_digits.until(lambda: any(line["status"] == 499 for line in own_digits.log()))
    assert health(own_digits)["in_flight"] == 1
    assert own_digits.call(row=[1]).json == 1


def test_a_caller_that_leaves_the_queue_is_forgotten(own_digits: Rig) -> None:
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(own_digits.call, do="sleep", seconds=0.7)
        own_digits.until(lambda: health(own_digits)["in_flight"] == 1)
        with own_digits.connect() as wire:
            wire.sendall(own_digits.post(b'{"do": "die"}'))
            own_digits.until(lambda: health(own_digits)["waiting"] == 1)
        own_digits.until(lambda: health(own_digits)["waiting"] == 0)
        assert first.result().status == 200
    assert own_digits.call(row=[1]).status == 200


def test_fast_calls_of_a_def_are_sent_ahead_and_slow_ones_are_not(own_digits: Rig) -> None:
    for _ in range(200):
        own_digits.call(row=[1])
    with ThreadPoolExecutor(4) as pool:
        slow = [pool.submit(own_digits.call, do="sleep", seconds=0.3) for _ in range(2)]
        [one.result() for one in slow]
        more = [pool.submit(own_digits.call, do="sleep", seconds=0.3) for _ in range(4)]
        own_digits.until(lambda: health(own_digits)["waiting"] == 3)
        assert health(own_digits)["in_flight"] == 1
        assert [one.result().status for one in more] == [200] * 4


def test_a_killed_gateway_is_replaced_within_a_second(own_digits: Rig) -> None:
    assert own_digits.gateway is not None
    own_digits.gateway.send_signal(signal.SIGKILL)
    own_digits.gateway.wait()
    waiting = own_digits.connect()  # waits in the listening socket's queue
    waiting.sendall(own_digits.post(b'{"row": [7]}'))
    began = time.monotonic()
    own_digits.start()
    with waiting:
        assert answers_of(waiting, 1)[0].json == 7
    assert time.monotonic() - began < 5  # a second where nothing else runs; the machine is shared


def test_a_gateway_that_is_to_stop_finishes_what_it_has(own_digits: Rig) -> None:
    assert own_digits.gateway is not None
    idle = own_digits.connect()
    idle.sendall(own_digits.post())
    answers_of(idle, 1)
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(own_digits.call, do="sleep", seconds=0.5)
        own_digits.until(lambda: health(own_digits)["in_flight"] == 1)
        own_digits.gateway.send_signal(signal.SIGTERM)
        assert call.result().headers["Connection"] == "close"
    assert idle.recv(10) == b""
    idle.close()
    assert own_digits.gateway.wait(10) == 0
    assert own_digits.gateway.args and not (own_digits.sockets / "gateway.sock").exists()


def test_a_successor_takes_over_without_a_failed_request(own_digits: Rig) -> None:
    old = own_digits.gateway
    assert old is not None
    stop = threading.Event()
    with ThreadPoolExecutor(4) as pool:
        clients = [pool.submit(load_again, own_digits, stop) for _ in range(4)]
        own_digits.start()
        assert old.wait(20) == 0
        stop.set()
    assert {status for client in clients for status in client.result()} == {200}


def load_again(rig: Rig, stop: threading.Event) -> list[int]:
    """Calls on connections that are made anew when an answer says that the old one ends."""
    statuses = []
    while not stop.is_set():
        with rig.connect() as wire:
            while not stop.is_set():
                wire.sendall(rig.post(json.dumps({"row": [1]}).encode()))
                [answer] = answers_of(wire, 1)
                statuses.append(answer.status)
                if answer.headers.get("Connection") == "close":
                    break
    return statuses

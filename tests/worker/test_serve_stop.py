"""Stopping, cancelling, long calls, and clients that misbehave."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.worker.served import Replica, Workshop, until, workshop

from cellship.backend.worker.frames import AFTER_LENGTH, HEADER, MAX_FRAME, Kind, frame

# answers after the file `gate` exists; says that it runs by making the file `began`
GATED = """
import os, select
def wait(gate):
    open(gate + ".began", "w").close()
    while not os.path.exists(gate):
        select.select([], [], [], 0.005)
{kind} f(gate: str = "", n: int = 0):
    if gate:
        {wait}
    return n
"""
DEF = GATED.format(kind="def", wait="wait(gate)")
ASYNC = GATED.format(
    kind="async def",
    wait="import asyncio; open(gate + '.began', 'w').close()\n"
    "        while not os.path.exists(gate): await asyncio.sleep(0.005)",
)
KINDS = pytest.mark.parametrize("source", [DEF, ASYNC], ids=["def", "async"])


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    yield from workshop(tmp_path)


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    return tmp_path / "gate"


def began(gate: Path) -> bool:
    return Path(f"{gate}.began").exists()


def order(replica: Replica, how: str) -> None:
    """Tell a worker to stop."""
    if how == "SHUTDOWN":
        replica.connect().send(Kind.SHUTDOWN)
    else:
        replica.process.send_signal(signal.SIGTERM)


@KINDS
@pytest.mark.parametrize("how", ["SHUTDOWN", "SIGTERM"])
def test_what_runs_is_finished(shop: Workshop, gate: Path, source: str, how: str) -> None:
    replica = shop.start(source)
    client = replica.ready()
    streams = [client.start(gate=str(gate)), client.start(n=1), client.start(n=2)]
    until(lambda: began(gate), "the call runs")
    order(replica, how)
    assert replica.process.poll() is None
    gate.touch()
    answers = {heard.stream: heard.value for heard in (client.hear() for _ in streams)}
    assert answers == dict(zip(streams, [0, 1, 2], strict=True))
    assert client.ended()
    assert replica.process.wait(20) == 0
    assert not replica.socket.exists()


@KINDS
@pytest.mark.parametrize("how", ["SHUTDOWN", "SIGTERM"])
def test_an_idle_worker_stops(shop: Workshop, source: str, how: str) -> None:
    replica = shop.start(source)
    client = replica.ready()
    order(replica, how)
    assert client.ended()
    assert replica.process.wait(20) == 0


@pytest.mark.parametrize("how", ["SHUTDOWN", "SIGTERM"])
def test_a_worker_stops_while_it_loads(shop: Workshop, gate: Path, how: str) -> None:
    replica = shop.start(DEF + f"wait({str(gate)!r})\n")
    client = replica.connect()
    assert client.hear().value["state"] == "starting"
    until(lambda: began(gate), "source.py runs")
    order(replica, how)
    assert client.ended()
    assert replica.process.wait(20) == 0


def test_threads_of_user_code_do_not_keep_it(shop: Workshop) -> None:
    source = "import threading\nthreading.Thread(target=threading.Event().wait).start()\n" + DEF
    replica = shop.start(source)
    replica.ready().send(Kind.SHUTDOWN)
    assert replica.process.wait(20) == 0


def test_a_call_after_the_order_to_stop_did_not_run(shop: Workshop, gate: Path) -> None:
    replica = shop.start(ASYNC)
    client = replica.ready()
    first = client.start(gate=str(gate))
    until(lambda: began(gate), "the call runs")
    client.send(Kind.SHUTDOWN)
    until(lambda: not replica.socket.exists(), "it has heard")
    late = client.start(gate=str(gate) + "2")
    heard = client.hear()
    assert (heard.stream, heard.value["status"]) == (late, 503)
    assert heard.error["code"] == "replica.stopping"
    gate.touch()
    assert client.hear().stream == first
    assert client.ended()
    assert not Path(f"{gate}2.began").exists()


def test_a_cancelled_call_that_waits_never_runs(shop: Workshop, gate: Path) -> None:
    replica = shop.start(DEF)
    client = replica.ready()
    runs = client.start(gate=str(gate))
    until(lambda: began(gate), "the call runs")
    waits = client.start(gate=str(gate) + "2")
    client.send(Kind.CANCEL, waits)
    after = client.start(n=3)
    client.send(Kind.PING)
    assert client.hear().kind == Kind.PONG  # so the CANCEL before it has been read
    gate.touch()
    heard = [client.hear() for _ in range(3)]
    assert [each.stream for each in heard] == [runs, waits, after]
    assert heard[1].error["code"] == "call.cancelled"
    assert not Path(f"{gate}2.began").exists()


def test_a_cancelled_async_call_is_cancelled_where_it_waits(shop: Workshop, gate: Path) -> None:
    client = shop.start(ASYNC).ready()
    stream = client.start(gate=str(gate))
    until(lambda: began(gate), "the call runs")
    client.send(Kind.CANCEL, stream)
    heard = client.hear()
    assert (heard.stream, heard.error["code"]) == (stream, "call.cancelled")
    assert client.call(n=5).value == 5


def test_a_long_call_keeps_nobody_out(shop: Workshop, gate: Path) -> None:
    replica = shop.start(DEF)
    client = replica.ready()
    client.start(gate=str(gate))
    until(lambda: began(gate), "the call runs")
    newcomer = replica.connect()
    assert newcomer.hear().value["state"] == "ready"
    newcomer.send(Kind.PING, 5)
    assert newcomer.hear().kind == Kind.PONG
    stream = newcomer.start(n=4)
    gate.touch()
    assert client.hear().value == 0
    assert newcomer.hear().stream == stream


def test_an_async_call_that_awaits_nothing_keeps_nobody_out(shop: Workshop, gate: Path) -> None:
    replica = shop.start(GATED.format(kind="async def", wait="wait(gate)"))
    client = replica.ready()
    client.start(gate=str(gate))
    until(lambda: began(gate), "the call runs")
    newcomer = replica.connect()
    assert newcomer.hear().value["state"] == "ready"
    newcomer.send(Kind.PING, 5)
    assert newcomer.hear().kind == Kind.PONG
    stream = newcomer.start(n=4)
    gate.touch()
    assert client.hear().value == 0
    assert (newcomer.hear().stream, newcomer.stream) == (stream, stream)


def test_answers_do_not_wait_for_a_slow_call_behind_them(shop: Workshop, gate: Path) -> None:
    client = shop.start(DEF).ready()
    calls = [frame(Kind.CALL, n, b"\0\0" + b'{"n": %d}' % n) for n in (1, 2)]
    slow = frame(Kind.CALL, 3, b"\0\0" + b'{"gate": "%b"}' % os.fsencode(gate))
    client.socket.sendall(b"".join(calls) + slow)  # read in one turn
    assert [client.hear().value for _ in calls] == [1, 2]
    gate.touch()
    assert client.hear().value == 0


@KINDS
@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\nHost: digits\r\n\r\n",
        HEADER.pack(MAX_FRAME + 1, Kind.CALL, 0, 0, 1),
        HEADER.pack(AFTER_LENGTH - 1, Kind.CALL, 0, 0, 1),
        HEADER.pack(AFTER_LENGTH, Kind.CALL, 0, 1, 1),
        frame(Kind.ANSWER, 1, b"1"),
        frame(200, 1, b""),  # type: ignore[arg-type]
    ],
)
def test_garbage_ends_its_own_connection_only(shop: Workshop, source: str, garbage: bytes) -> None:
    replica = shop.start(source)
    other, bad = replica.ready(), replica.ready()
    bad.socket.sendall(garbage)
    assert bad.ended()
    assert other.call(n=1).value == 1


def test_a_call_that_is_cut_short_is_a_failure(shop: Workshop) -> None:
    client = shop.start(DEF).ready()
    client.send(Kind.CALL, 1, b"\x05ab")
    assert client.hear().value["status"] == 400
    assert client.call(n=1).value == 1


@KINDS
def test_half_a_frame_delays_nobody(shop: Workshop, source: str) -> None:
    replica = shop.start(source)
    other, slow = replica.ready(), replica.ready()
    whole = frame(Kind.CALL, 9, b"\0\0{}")
    slow.socket.sendall(whole[:7])
    assert other.call(n=1).value == 1
    slow.socket.sendall(whole[7:])
    assert slow.hear().value == 0


@KINDS
def test_a_peer_that_does_not_read_is_closed_and_delays_nobody(shop: Workshop, source: str) -> None:
    source = source.replace("return n", "return 'x' * n")
    replica = shop.start(source)
    other, deaf = replica.ready(), replica.ready()
    with suppress(ConnectionError):
        for _ in range(40):
            deaf.start(n=4 << 20)
            assert other.call(n=1).value == "x"
    until(lambda: memory(replica) < 400 << 20, "what nobody reads is bounded")
    assert other.call(n=2).value == "xx"
    received = 0
    # the worker gave the connection up: it ends, or is reset where a call was still unread
    with suppress(ConnectionError):
        while data := deaf.socket.recv(1 << 20):
            received += len(data)
    assert received < 160 << 20


def test_an_answer_larger_than_the_sockets_room_arrives(shop: Workshop) -> None:
    client = shop.start("def f(n: int):\n    return 'x' * n\n").ready()
    assert len(client.call(n=100 << 20).payload) == (100 << 20) + 2


def test_an_answer_larger_than_a_frame_is_a_failure(shop: Workshop) -> None:
    client = shop.start("def f(n: int):\n    return 'x' * n\n").ready()
    assert client.call(n=256 << 20).error["code"] == "entry.answer-too-large"
    assert client.call(n=1).value == "x"


def memory(replica: Replica) -> int:
    """Resident bytes."""
    pages = Path(f"/proc/{replica.process.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")

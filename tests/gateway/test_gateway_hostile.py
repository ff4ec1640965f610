"""Callers that break the rules, stall, or send too much: refused, and nothing is left behind."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack, suppress

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.gateway.rig import Answer, Rig, answers_of


def status_of(rig: Rig, sent: bytes) -> int:
    """The status of the only answer, after which the connection ends; 0 for none."""
    with rig.connect() as wire:
        with suppress(ConnectionError):
            wire.sendall(sent)
        with suppress(ConnectionError):
            answers = answers_of(wire)
            assert len(answers) <= 1
            return answers[0].status if answers else 0
    return 0


def still_answers(rig: Rig) -> None:
    assert rig.call(row=[1, 1]).json == 2


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: 2", "Content-Length: 3"),
        ("Content-Length: 2", "Content-Length: 2"),
        ("Content-Length: 2", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Content-Length: 2"),
        ("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked, identity",),
        ("Transfer-Encoding: xchunked",),
        ("Transfer-Encoding : chunked",),
        ("Transfer-Encoding: gzip, chunked",),
        ("Content-Length: +2",),
        ("Content-Length: -2",),
        ("Content-Length: 0x2",),
        ("Content-Length: 2, 2",),
        ("Content-Length: 99999999999999999999999",),
        ("Content-Length : 2",),
        (" Content-Length: 2",),
        ("Host: 127.0.0.1",),
        ("Na\x00me: x",),
        ("Name\n: x",),
        ("X: a\rb",),
        ("X: a\x00b",),
        (": empty",),
    ],
)
def test_what_two_readers_could_read_differently_is_refused(
    hasty: Rig, lines: tuple[str, ...]
) -> None:
    sent = hasty.head("/digits", *lines) + b"2\r\n{}\r\n0\r\n\r\n" + hasty.post(b'{"do": "die"}')
    assert status_of(hasty, sent) == 400
    still_answers(hasty)


@pytest.mark.parametrize(
    "chunks",
    [
        b"zz\r\n{}\r\n0\r\n\r\n",
        b"-2\r\n{}\r\n0\r\n\r\n",
        b"2\r\n{}xx\r\n0\r\n\r\n",
        b"fffffffffffffffff\r\n{}",
        b"2 {}\r\n0\r\n\r\n",
        b"\r\n2\r\n{}\r\n0\r\n\r\n",
        b"2\n{}\n0\n\n",
        b"0x2\r\n{}\r\n0\r\n\r\n",
    ],
)
def test_bad_chunks(hasty: Rig, chunks: bytes) -> None:
    sent = hasty.head("/digits", "Transfer-Encoding: chunked") + chunks
    assert status_of(hasty, sent) == 400
    still_answers(hasty)


@pytest.mark.parametrize(
    "sent",
    [
        b"\x00\x01\x02\x03\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 100,
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /digits\r\n\r\n",
        b"HELO example.org\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n",
        b"GET /digits HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_not_a_request_ends_the_connection(hasty: Rig, sent: bytes) -> None:
    assert status_of(hasty, sent) in (400, 405, 421)
    still_answers(hasty)


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("Expect: 200-maybe", 417),
        ("Content-Encoding: gzip", 415),
        ("Upgrade: websocket", 400),
        ("Origin: https://evil.example", 403),
        ("Origin: null", 403),
        ("Origin: http://127.0.0.1", 403),
        ("Sec-Fetch-Site: cross-site", 403),
    ],
)
def test_wishes_that_are_refused(hasty: Rig, line: str, status: int) -> None:
    assert status_of(hasty, hasty.post(b"{}", "/digits", line)) == status


def test_our_own_origin_may_call(hasty: Rig) -> None:
    lines = (f"Origin: http://127.0.0.1:{hasty.port}", "Sec-Fetch-Site: same-origin")
    [answer] = hasty.raw(hasty.post(b"{}", "/digits", *lines))
    assert answer.status == 200
    assert not any("Access-Control" in name for name in answer.headers)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", "", "[::1"])
def test_another_host_is_refused(hasty: Rig, host: str) -> None:
    sent = f"POST /digits HTTP/1.1\r\nHost: {host}\r\nContent-Length: 2\r\n\r\n{{}}".encode()
    assert status_of(hasty, sent) == 421


def test_an_upgrade_with_a_body_smuggles_nothing(hasty: Rig) -> None:
    lines = ("Connection: Upgrade", "Upgrade: h2c")
    body = hasty.post(b'{"do": "die"}')
    assert status_of(hasty, hasty.post(body, "/digits", *lines)) == 400
    still_answers(hasty)


def test_an_announced_body_that_is_too_large_is_refused_before_it_is_sent(hasty: Rig) -> None:
    with hasty.connect() as wire:
        wire.sendall(hasty.head("/digits", f"Content-Length: {1 << 30}"))
        [answer] = answers_of(wire, 1)
        assert (answer.status, answer.code) == (413, "request.too-large")
        assert answer.headers["Connection"] == "close"


def test_who_waits_to_send_a_large_body_is_refused_without_it(hasty: Rig) -> None:
    head = hasty.head("/digits", f"Content-Length: {1 << 30}", "Expect: 100-continue")
    assert status_of(hasty, head) == 413


def test_a_sender_that_does_not_listen_reads_its_refusal_in_the_end(rig: Rig) -> None:
    rig.max_body = 1 << 20
    rig.deploy()
    rig.start()
    body = b'{"row": [' + b"1," * (4 << 20) + b"1]}"
    assert rig.request("POST", "/digits", body).status == 413
    assert memory(rig) < 200 * 2**20


def test_a_chunked_body_that_grows_too_large(rig: Rig) -> None:
    rig.max_body = 1 << 20
    rig.deploy()
    rig.start()
    with rig.connect() as wire:
        wire.sendall(rig.head("/digits", "Transfer-Encoding: chunked"))
        chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
        with suppress(ConnectionError):
            for _ in range(64):
                wire.sendall(chunk)
        assert answers_of(wire, 1)[0].status == 413


def memory(rig: Rig) -> int:
    assert rig.gateway is not None
    size: int = psutil.Process(rig.gateway.pid).memory_info().rss
    return size


@pytest.mark.parametrize("piece", [1 << 10, 1 << 16, 1 << 20])
def test_headers_that_are_too_large(hasty: Rig, piece: int) -> None:
    with hasty.connect() as wire:
        with suppress(ConnectionError):
            wire.sendall(hasty.head("/digits").removesuffix(b"\r\n"))
            for n in range((1 << 20) // piece):
                wire.sendall(b"X%d: " % n + b"x" * (piece - 8) + b"\r\n")
        assert answers_of(wire, 1)[0].status == 431
    still_answers(hasty)


def test_one_endless_header(hasty: Rig) -> None:
    with hasty.connect() as wire:
        with suppress(ConnectionError):
            wire.sendall(b"POST /digits HTTP/1.1\r\nX: ")
            for _ in range(100):
                wire.sendall(b"x" * 8192)
        assert answers_of(wire, 1)[0].status == 431


def test_headers_just_below_the_limit(hasty: Rig) -> None:
    [answer] = hasty.raw(hasty.post(b"{}", "/digits", "X: " + "x" * 65_000))
    assert answer.status == 200


def test_many_small_requests_in_one_piece_are_no_large_head(hasty: Rig) -> None:
    sent = hasty.post(b"{}") * 2000
    assert len(sent) > 64 * 1024
    assert [one.status for one in hasty.raw(sent, 2000)] == [200] * 2000


@pytest.mark.parametrize("so_far", [b"P", b"POST /digits HTTP/1.1\r\nHost: ", None])
def test_a_request_that_does_not_arrive(hasty: Rig, so_far: bytes | None) -> None:
    began = time.monotonic()
    sent = hasty.head("/digits", "Content-Length: 9") + b"{" if so_far is None else so_far
    assert status_of(hasty, sent) == 408
    assert 0.4 < time.monotonic() - began < 5


def test_a_byte_now_and_then_wins_no_time(hasty: Rig) -> None:
    began = time.monotonic()
    with hasty.connect() as wire:
        wire.sendall(hasty.head("/digits", "Content-Length: 99"))
        wire.settimeout(0.05)
        answer = dribble(wire)
    assert answer.startswith(b"HTTP/1.1 408")
    assert time.monotonic() - began < 5


def dribble(wire: socket.socket) -> bytes:
    while True:
        try:
            wire.sendall(b" ")
            return wire.recv(4096)
        except TimeoutError:
            continue


def test_a_connection_on_which_nothing_comes_is_closed(hasty: Rig) -> None:
    with hasty.connect() as wire:
        assert wire.recv(1) == b""
    with hasty.connect() as wire:
        wire.sendall(hasty.post())
        assert [one.status for one in answers_of(wire)] == [200]


def test_an_answer_that_nobody_reads(hasty: Rig) -> None:
    with hasty.connect() as wire:
        wire.sendall(hasty.post(b'{"do": "big", "size": 50000000}'))
        hasty.until(lambda: connections(hasty) == 0)
    still_answers(hasty)


def connections(rig: Rig) -> int:
    """Connections of callers that the gateway has open."""
    assert rig.gateway is not None
    found = psutil.Process(rig.gateway.pid).net_connections("tcp")
    return sum(one.status != psutil.CONN_LISTEN for one in found)


def test_a_slow_reader_gets_all_of_its_answer(digits: Rig) -> None:
    with digits.connect() as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        wire.sendall(digits.post(b'{"do": "big", "size": 3000000}') + digits.post(b'{"row": [5]}'))
        first, second = answers_of(wire, 2)
        assert (len(first.body), second.json) == (3_000_002, 5)


def test_too_many_connections(rig: Rig) -> None:
    rig.limits = {"connections": 5}
    rig.deploy()
    rig.start()
    with ExitStack() as stack:
        wires = [stack.enter_context(rig.connect()) for _ in range(5)]
        rig.until(lambda: connections(rig) >= 5)
        refused: Answer = answers_of(stack.enter_context(rig.connect()), 1)[0]
        assert (refused.status, refused.code) == (503, "gateway.full")
        wires[0].sendall(rig.post())
        assert answers_of(wires[0], 1)[0].status == 200
    rig.until(lambda: connections(rig) == 0)
    still_answers(rig)


def test_nothing_is_left_open(hasty: Rig) -> None:
    assert hasty.gateway is not None
    process = psutil.Process(hasty.gateway.pid)
    still_answers(hasty)
    hasty.until(lambda: connections(hasty) == 0)
    hasty.until(hasty.log)  # its file is open from now on
    before = process.num_fds()
    with ExitStack() as stack:
        for n in range(300):
            wire = stack.enter_context(hasty.connect())
            wire.sendall(hasty.post() if n % 3 else hasty.post()[: n % 80])
            if n % 5 == 0:
                wire.close()
    hasty.until(lambda: process.num_fds() <= before)
    assert hasty.ask({"do": "in_flight"})["replicas"] == {"digits-1-0": 0}


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_request_with_a_few_bytes_changed(hasty: Rig, data: st.DataObject) -> None:
    """Whatever comes, the connection ends or goes on, and the next caller is served."""
    sent = bytearray(hasty.post(b'{"row": [1, 2]}', "/digits", "X: y", "Connection: close"))
    for _ in range(data.draw(st.integers(1, 4))):
        sent[data.draw(st.integers(0, len(sent) - 1))] = data.draw(st.integers(0, 255))
    with hasty.connect() as wire, suppress(ConnectionError):
        wire.sendall(bytes(sent))
        wire.shutdown(socket.SHUT_WR)
        assert all(one.status < 500 for one in answers_of(wire))
    assert "Traceback" not in hasty.output()


def test_the_gateway_outlived_all_of_it(hasty: Rig) -> None:
    for sent in (b"\r\n" * 1000, b"\xff" * 100_000, hasty.post()[:-1], hasty.post(b"x" * 1000)):
        with hasty.connect() as wire, suppress(ConnectionError):
            wire.sendall(sent)
    still_answers(hasty)
    assert hasty.gateway is not None and hasty.gateway.poll() is None


def test_bodies_have_a_limit_together(rig: Rig) -> None:
    rig.limits = {"held": 1 << 20}
    rig.deploy()
    rig.start()
    part = rig.head("/digits", f"Content-Length: {900_000}") + b" " * 800_000
    with rig.connect() as first:
        first.sendall(part)
        rig.until(lambda: held(rig))
        with rig.connect() as second, suppress(ConnectionError):
            second.sendall(part)
            [answer] = answers_of(second, 1)
            assert (answer.status, answer.code) == (503, "gateway.full")
    rig.until(lambda: rig.call(row=[1] * 300_000).status == 200)


def held(rig: Rig) -> bool:
    """Whether most of the first body has arrived."""
    answer = rig.request("POST", "/digits", b" " * 400_000)
    return answer.code == "gateway.full"


def test_a_large_wrong_body_stops_nobody(rig: Rig) -> None:
    rig.deploy()
    rig.start()
    body = b'{"row": [' + b"[]," * 80_000 + b"[]]}"
    began = time.monotonic()
    answer = rig.request("POST", "/digits", body)
    assert answer.message == "row[0]: a number wanted, got an empty list"
    assert time.monotonic() - began < 3

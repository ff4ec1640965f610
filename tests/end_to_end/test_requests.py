"""What a caller may send, and what it gets back."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from tests.driver import Service, kernel

CELL = """\
%%deploy convert
def convert(row: list[float], unit: str = "cm") -> dict:
    "Lengths in another unit."
    return {"unit": unit, "row": row}
"""


@pytest.fixture(scope="module")
def convert(shared: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an entry with a list and an optional text."""
    with kernel(shared, tmp_path_factory.mktemp("convert")) as notebook:
        notebook.run("%load_ext cellship")
        notebook.run(CELL)
        yield shared.url("convert")


def error_of(answer: requests.Response) -> dict[str, Any]:
    """The error object, whose shape is always the same."""
    error: dict[str, Any] = answer.json()["error"]
    assert set(error) == {"code", "message", "hint", "details", "request_id"}
    assert error["request_id"] == answer.headers["X-Request-Id"]
    assert "Traceback" not in answer.text
    return error


def test_a_good_request(convert: str) -> None:
    answer = requests.post(convert, json={"row": [1, 2.5]}, timeout=10)
    assert answer.json() == {"unit": "cm", "row": [1, 2.5]}


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_json_is_json_whatever_it_is_called(convert: str, kind: str) -> None:
    answer = requests.post(convert, data='{"row": [1]}', headers={"Content-Type": kind}, timeout=10)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ("{}", ""),
        ('{"row": "text"}', "/row"),
        ('{"row": [1, "two"]}', "/row/1"),
        ('{"row": [1], "unit": 3}', "/unit"),
        ('{"row": [1], "colour": "red"}', ""),
        ("[1]", ""),
        ("null", ""),
    ],
)
def test_wrong_fields_are_named(convert: str, body: str, path: str) -> None:
    answer = requests.post(convert, data=body, timeout=10)
    assert answer.status_code == 422
    error = error_of(answer)
    assert any(detail["path"].startswith(path) for detail in error["details"]), error
    assert error["message"]


@pytest.mark.parametrize(
    "body", ["", "{", '{"row": [1,}', "\xff\xfe", '{"row": NaN}', "{'row': [1]}"]
)
def test_bad_json_is_said(convert: str, body: str) -> None:
    answer = requests.post(convert, data=body.encode("latin-1"), timeout=10)
    assert answer.status_code in (400, 422)
    assert "JSON" in error_of(answer)["message"]


def test_deep_json_harms_nobody(convert: str) -> None:
    body = '{"row": ' + "[" * 100_000 + "]" * 100_000 + "}"
    assert requests.post(convert, data=body, timeout=20).status_code in (400, 422)
    assert requests.post(convert, data='{"row": [1]}', timeout=10).status_code == 200


def test_a_huge_body_is_refused_before_it_is_sent(convert: str, shared: Service) -> None:
    head = f"POST /convert HTTP/1.1\r\nHost: {host(shared)}\r\nContent-Length: {1 << 30}\r\n\r\n"
    assert b" 413 " in raw(shared, head.encode() + b"x" * 65536).split(b"\r\n")[0]


def test_a_huge_chunked_body_is_refused(convert: str, shared: Service) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(120):
            yield b" " * (1 << 20)

    try:
        answer = requests.post(convert, data=endless(), timeout=60)
    except requests.ConnectionError:
        return  # closed while we were still sending: refused as well
    assert answer.status_code == 413


def test_a_byte_a_second_does_not_hold_the_service(convert: str, shared: Service) -> None:
    with socket.create_connection(address(shared), timeout=60) as slow:
        slow.sendall(
            f"POST /convert HTTP/1.1\r\nHost: {host(shared)}\r\nContent-Length: 99\r\n\r\n".encode()
        )
        began = time.monotonic()
        slow.settimeout(1.0)
        answer = dribble(slow, began)
    assert answer.startswith(b"HTTP/1.1 408") or answer == b""
    assert 20 < time.monotonic() - began < 50
    assert requests.post(convert, data='{"row": [1]}', timeout=10).status_code == 200


def dribble(slow: socket.socket, began: float) -> bytes:
    """A byte each second, until there is an answer."""
    while time.monotonic() - began < 60:
        try:
            slow.sendall(b" ")
            return slow.recv(4096)
        except TimeoutError:
            continue
        except OSError:
            return b""
    return b"no answer"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:80"},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_foreign_hosts_and_pages_are_refused(convert: str, headers: dict[str, str]) -> None:
    answer = requests.post(convert, data='{"row": [1]}', headers=headers, timeout=10)
    assert answer.status_code in (403, 421)
    assert error_of(answer)["message"]
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        "convrt",
        "convert@9",
        "convert@x",
        "..",
        "../convert",
        "%2e%2e/convert",
        "a" * 300,
        "ünï",
        "convert/none",
    ],
)
def test_what_is_not_there_is_404_with_near_names(convert: str, shared: Service, path: str) -> None:
    target = path if path.isascii() else requests.utils.quote(path)
    head = f"POST /{target} HTTP/1.1\r\nHost: {host(shared)}\r\nContent-Length: 2\r\n\r\n"
    answer = raw(shared, head.encode() + b"{}")
    assert b" 404 " in answer.split(b"\r\n")[0]
    body = json.loads(answer.partition(b"\r\n\r\n")[2])
    if path == "convrt":
        assert "convert" in body["error"]["message"] + body["error"]["hint"]


@pytest.mark.parametrize(
    "nonsense", [b"\x00\x01\x02\r\n\r\n", b"GET\r\n\r\n", b"POST / HTTP/9.9\r\n\r\n"]
)
def test_what_is_not_http_ends_the_connection(
    convert: str, shared: Service, nonsense: bytes
) -> None:
    answer = raw(shared, nonsense)
    assert answer == b"" or answer.split()[1] in (b"400", b"505")
    assert requests.post(convert, data='{"row": [1]}', timeout=10).status_code == 200


def test_headers_have_a_limit(convert: str) -> None:
    answer = requests.post(convert, data="{}", headers={"X-Long": "x" * 70_000}, timeout=10)
    assert answer.status_code == 431


def test_only_post_calls(convert: str) -> None:
    answer = requests.get(convert, timeout=10)
    assert answer.status_code == 405
    assert error_of(answer)["hint"]


def raw(running: Service, sent: bytes) -> bytes:
    """All that comes back on a connection of its own."""
    with socket.create_connection(address(running), timeout=10) as wire:
        received = b""
        try:
            wire.sendall(sent)
            while more := wire.recv(65536):
                received += more
                if complete(received):
                    break
        except ConnectionError:
            pass
    return received


def complete(received: bytes) -> bool:
    head, found, body = received.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return bool(found) and len(body) >= int(line.split(b":")[1])
    return False


def host(running: Service) -> str:
    return running.url().removeprefix("http://").rstrip("/")


def address(running: Service) -> tuple[str, int]:
    name, _, port = host(running).partition(":")
    return name, int(port)

"""Calls of an entry: from the request to the answer."""

from __future__ import annotations

import json

import pytest
from tests.gateway.rig import INPUT, Rig, answers_of


def test_a_call_is_answered_by_a_replica(digits: Rig) -> None:
    answer = digits.call(row=[1, 2.5])
    assert (answer.status, answer.json) == (200, 3.5)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cellship-Version"] == "digits@1"
    assert answer.headers["Cellship-Replica"] == "digits-1-0"
    assert answer.headers["X-Request-Id"]


def test_the_worker_gets_method_request_id_and_body(rig: Rig) -> None:
    rig.deploy(methods=("", "score"))
    rig.start()
    answer = rig.request("POST", "/digits/score", b'{"do": "call"}', {"X-Request-Id": "abc.1"})
    assert answer.json == {"method": "score", "request_id": "abc.1", "body": {"do": "call"}}
    assert answer.headers["X-Request-Id"] == "abc.1"


@pytest.mark.parametrize("insane", ["", "a b", 'a"b', "x" * 129, "é", "a\tb"])
def test_an_insane_request_id_is_replaced(digits: Rig, insane: str) -> None:
    sent = digits.post(b"{}", "/digits", f"X-Request-Id: {insane}")
    [answer] = digits.raw(sent)
    assert answer.headers["X-Request-Id"] not in ("", insane)


@pytest.mark.parametrize("path", ["/digits", "/digits/", "/digits@1", "/digits@v1", "/digits%401"])
def test_paths_of_an_entry(digits: Rig, path: str) -> None:
    assert digits.call(path, row=[1]).json == 1


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/", 404, "deployment.unknown"),
        ("/digit", 404, "deployment.unknown"),
        ("/digits@2", 404, "version.unknown"),
        ("/digits@x", 404, "version.unknown"),
        ("/digits@0", 404, "version.unknown"),
        ("/digits@", 404, "version.unknown"),
        ("/digits/none", 404, "method.unknown"),
        ("/digits/a/b", 404, "path.unknown"),
        ("/digits/-/none", 404, "page.unknown"),
        ("/digits/-", 404, "page.unknown"),
        ("/../digits", 404, "deployment.unknown"),
        ("/%2e%2e/digits", 404, "deployment.unknown"),
        ("/%ff%00", 404, "deployment.unknown"),
        ("/" + "a" * 300, 404, "deployment.unknown"),
        ("/digits?row=1", 400, "request.query"),
    ],
)
def test_what_is_not_there(digits: Rig, path: str, status: int, code: str) -> None:
    answer = digits.call(path)
    assert (answer.status, answer.code) == (status, code)
    assert set(answer.json["error"]) == {"code", "message", "hint", "details", "request_id"}
    assert answer.json["error"]["request_id"] == answer.headers["X-Request-Id"]


def test_near_names_are_listed(digits: Rig) -> None:
    assert digits.call("/digitz").json["error"]["hint"] == "Did you mean digits?"


@pytest.mark.parametrize(
    ("body", "path", "message"),
    [
        (b'{"row": "x"}', "/row", "row: a list of numbers wanted, got text"),
        (b'{"row": [1, "x"]}', "/row/1", "row[1]: a number wanted, got text"),
        (b'{"row": [1], "rwo": 1}', "/rwo", "rwo: not known, did you mean row?"),
        (b"[1]", "", "a JSON object with row, do, seconds, size wanted, got a list"),
        (b'{"do": null}', "/do", "do: text wanted, got null"),
    ],
)
def test_input_is_validated_in_our_words(digits: Rig, body: bytes, path: str, message: str) -> None:
    answer = digits.request("POST", "/digits", body)
    assert (answer.status, answer.code, answer.message) == (422, "request.invalid", message)
    [detail] = answer.json["error"]["details"]
    assert detail["path"] == path
    assert answer.json["error"]["hint"] == "GET /digits/-/example"


def test_a_missing_argument_is_named(rig: Rig) -> None:
    rig.deploy(input={**INPUT, "required": ["row"]})
    rig.start()
    assert rig.call().message == "row: missing"
    empty = rig.request("POST", "/digits", b"")
    assert empty.message == "a JSON object with row, do, seconds, size wanted, got nothing"


def test_no_body_is_no_arguments(digits: Rig) -> None:
    assert digits.request("POST", "/digits").json == 0


@pytest.mark.parametrize("body", [b"{", b'{"row": NaN}', b"\xff", b"{} x", b"[" * 100_000])
def test_what_is_not_json(digits: Rig, body: bytes) -> None:
    answer = digits.request("POST", "/digits", body)
    assert (answer.status, answer.code) == (400, "request.not-json")
    assert answer.message.startswith("The body is not JSON")


def test_a_json_body_is_json_whatever_its_type(digits: Rig) -> None:
    answer = digits.request("POST", "/digits", b'{"row": [2]}', {"Content-Type": "text/plain"})
    assert answer.json == 2


@pytest.mark.parametrize("verb", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_an_entry_is_called_with_post(digits: Rig, verb: str) -> None:
    answer = digits.request(verb, "/digits")
    assert answer.status == 405
    assert answer.headers["Allow"] == "POST"
    assert (verb == "HEAD") == (answer.body == b"")
    assert not any(name.lower().startswith("access-control") for name in answer.headers)


def test_a_failure_of_the_entry_keeps_its_status(digits: Rig) -> None:
    answer = digits.call(do="raise")
    assert (answer.status, answer.code) == (500, "entry.raised")
    assert answer.headers["Cellship-Version"] == "digits@1"


def test_a_lossy_answer_says_so(digits: Rig) -> None:
    answer = digits.call(do="lossy")
    assert (answer.body, answer.headers["Cellship-Lossy"]) == (b"null", "nan")


def test_pipelined_requests_are_answered_in_order(digits: Rig) -> None:
    bodies = [json.dumps({"row": [n]}).encode() for n in range(200)]
    bodies[3] = b'{"do": "sleep", "seconds": 0.2}'
    bodies[7] = b"nonsense"
    answers = digits.raw(b"".join(map(digits.post, bodies)), len(bodies))
    wanted = [n for n in range(200) if n not in (3, 7)]
    assert [one.json for n, one in enumerate(answers) if n not in (3, 7)] == wanted
    assert (answers[3].json, answers[7].status) == ("slept", 400)


def test_a_connection_is_kept(digits: Rig) -> None:
    with digits.connect() as wire:
        for n in range(20):
            wire.sendall(digits.post(json.dumps({"row": [n]}).encode()))
            assert [one.json for one in answers_of(wire, 1)] == [n]


def test_a_connection_that_is_to_be_closed_is_closed(digits: Rig) -> None:
    with digits.connect() as wire:
        wire.sendall(digits.post(b"{}", "/digits", "Connection: close") * 3)
        [answer] = answers_of(wire)
        assert answer.headers["Connection"] == "close"


def test_http_1_0_is_answered_and_closed(digits: Rig) -> None:
    with digits.connect() as wire:
        wire.sendall(b"POST /digits HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}")
        [answer] = answers_of(wire)
        assert answer.status == 200


def test_a_sender_that_waits_is_told_to_continue(digits: Rig) -> None:
    with digits.connect() as wire:
        wire.sendall(digits.head("/digits", "Content-Length: 2", "Expect: 100-continue"))
        assert wire.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        wire.sendall(b"{}")
        assert answers_of(wire, 1)[0].status == 200


def test_a_half_closed_connection_gets_its_answer(digits: Rig) -> None:
    with digits.connect() as wire:
        wire.sendall(digits.post(b'{"do": "sleep", "seconds": 0.2}'))
        wire.shutdown(1)
        [answer] = answers_of(wire)
        assert answer.json == "slept"


def test_a_chunked_body(digits: Rig) -> None:
    head = digits.head("/digits", "Transfer-Encoding: chunked")
    [answer] = digits.raw(head + b'5\r\n{"row\r\n7\r\n": [1]}\r\n0\r\n\r\n')
    assert answer.json == 1


def test_the_absolute_form_of_an_address(digits: Rig) -> None:
    [answer] = digits.raw(digits.post(b"{}", f"http://127.0.0.1:{digits.port}/digits"))
    assert answer.status == 200
    [answer] = digits.raw(digits.post(b"{}", "http://evil.example/digits"))
    assert answer.status == 421


def test_a_large_body_and_a_large_answer(digits: Rig) -> None:
    numbers = [1] * 2_000_000
    assert digits.call(row=numbers).json == len(numbers)
    assert len(digits.call(do="big", size=20_000_000).body) == 20_000_002


def test_answers_are_logged_and_counted(own_digits: Rig) -> None:
    own_digits.call(row=[1])
    own_digits.call(do="raise")
    own_digits.call("/none")
    lines = own_digits.until(lambda: own_digits.log() if len(own_digits.log()) >= 3 else None)
    assert [(one["path"], one["status"], one["version"]) for one in lines] == [
        ("/digits", 200, "digits@1"),
        ("/digits", 500, "digits@1"),
        ("/none", 404, None),
    ]
    assert lines[0]["request_id"] and lines[0]["replica"] == "digits-1-0"
    seconds = own_digits.ask({"do": "counts"})["seconds"]
    assert sum(one[3] for one in seconds) == 2
    assert sum(one[4] for one in seconds) == 1
    assert {(one[1], one[2]) for one in seconds} == {("digits", 1)}

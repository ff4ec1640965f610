"""The pages below /NAME/-/, and the words of a refusal."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openapi_spec_validator import validate
from tests.gateway.rig import Rig

from cellship.backend.gateway import openapi, schema, words, wrong_input
from cellship.backend.gateway.codes import CODES
from cellship.backend.gateway.limits import Limits
from cellship.backend.gateway.link import parse_hello
from cellship.backend.gateway.pace import Pace
from cellship.backend.gateway.problem import Problem
from cellship.backend.worker.frames import call_payload

ROOT = Path(__file__).resolve().parents[2]
TREE = {"type": "object", "properties": {"left": {"$ref": "#"}}}
POINT = {
    "type": "object",
    "title": "Point",
    "properties": {"x": {"type": "number"}, "next": {"$ref": "#/$defs/Point"}},
    "required": ["x"],
    "additionalProperties": False,
}
INPUT = {
    "type": "object",
    "properties": {
        "rows": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
        "n": {"type": "integer", "minimum": 3},
        "point": {"$ref": "#/$defs/Point"},
        "unit": {"enum": ["cm", "inch"]},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "pair": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}]},
        "at": {"type": "string", "format": "date-time"},
        "names": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
        "any": {},
    },
    "additionalProperties": False,
    "$defs": {"Point": POINT},
}


def test_the_example_is_a_body_that_works(digits: Rig) -> None:
    example = digits.request("GET", "/digits/-/example")
    assert example.json == {"row": [1, 2]}
    assert digits.request("POST", "/digits", example.body).json == 3
    assert digits.request("HEAD", "/digits/-/example").body == b""


@pytest.mark.parametrize("recorded", [None, "{", '{"examples": [{"arguments": null}]}', "[]"])
def test_without_an_example(own_digits: Rig, recorded: str | None) -> None:
    path = own_digits.folder / "digits-1-examples.json"
    path.unlink() if recorded is None else path.write_text(recorded)
    answer = own_digits.request("GET", "/digits/-/example")
    assert (answer.status, answer.code) == (404, "example.none")


def test_the_page_to_try_an_entry_says_that_it_does_not_exist_yet(digits: Rig) -> None:
    answer = digits.request("GET", "/digits/-/try")
    assert (answer.status, answer.code) == (501, "page.not-yet")


def test_pages_are_read(digits: Rig) -> None:
    answer = digits.call("/digits/-/example")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_health(digits: Rig) -> None:
    assert digits.request("GET", "/digits/-/health").json == {
        "name": "digits",
        "state": "ready",
        "versions": [{"version": "digits@1", "replicas": 1, "in_flight": 0, "waiting": 0}],
    }


def test_the_openapi_document_is_valid(rig: Rig) -> None:
    rig.deploy(input=INPUT, methods=("", "score"))
    rig.start()
    document = rig.request("GET", "/digits/-/openapi.json").json
    validate(document)
    assert list(document["paths"]) == ["/digits", "/digits/score"]
    assert document["info"] == {"title": "digits", "version": "1"}
    assert document["paths"]["/digits"]["post"]["summary"] == "Sum."


def test_references_point_to_where_their_targets_are() -> None:
    methods = {"": schema.compiled("", {"input": INPUT, "output": TREE, "doc": ""})}
    document = openapi.document("digits", "digits@3", methods)
    validate(document)
    point = document["components"]["schemas"]["digits_input_Point"]
    wanted = {"$ref": "#/components/schemas/digits_input_Point"}
    assert point["properties"]["next"] == wanted
    tree = document["components"]["schemas"]["digits_output"]
    assert tree["properties"]["left"] == {"$ref": "#/components/schemas/digits_output"}
    assert "$defs" not in document["components"]["schemas"]["digits_input"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"rows": 3}, "rows: a list of lists of numbers wanted, got a number"),
        ({"rows": [[1], "x"]}, "rows[1]: a list of numbers wanted, got text"),
        ({"rows": [[1, None]]}, "rows[0][1]: a number wanted, got null"),
        ({"n": 2}, "n: at least 3 wanted, got 2"),
        ({"n": 3.5}, "n: a whole number wanted, got a number"),
        ({"n": True}, "n: a whole number wanted, got true"),
        ({"point": {}}, "point.x: missing"),
        ({"point": {"x": 1, "next": {"x": "y"}}}, "point.next.x: a number wanted, got text"),
        ({"point": []}, "point: an object (Point) wanted, got an empty list"),
        ({"unit": "m"}, 'unit: one of "cm", "inch" wanted, got "m"'),
        ({"note": 1}, "note: text or null wanted, got a number"),
        ({"pair": 1}, "pair: a list of 2 (text, a whole number) wanted, got a number"),
        ({"at": 1}, "at: a date and time as text (ISO 8601) wanted, got a number"),
        ({"names": ["a", "b", "c"]}, "names: at most 2 items wanted, got 3"),
        ({"units": "cm"}, "units: not known, did you mean unit?"),
        ({"a": 1, "b": 2, "c": 3, "d": 4}, None),
    ],
)
def test_what_is_wrong_in_plain_words(value: dict[str, Any], message: str | None) -> None:
    method = schema.compiled("", {"input": INPUT})
    with pytest.raises(Problem) as caught:
        method.check(json.dumps(value).encode(), "")
    if message is None:
        assert caught.value.message.endswith("; and 1 more")
        assert len(caught.value.details) == 4
    else:
        assert caught.value.message == message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(st.dictionaries(st.sampled_from(sorted(INPUT["properties"])) | st.text(), JSON))
def test_any_json_is_taken_or_refused_with_a_sentence(value: dict[str, Any]) -> None:
    method = schema.compiled("", {"input": INPUT})
    try:
        method.check(json.dumps(value).encode(), "")
    except Problem as problem:
        assert problem.status in (400, 422)
        assert problem.message
        assert all(detail.message for detail in problem.details)


@given(st.binary(max_size=200))
def test_any_bytes_are_taken_or_refused(body: bytes) -> None:
    method = schema.compiled("", {"input": INPUT})
    try:
        method.check(body, "")
    except Problem as problem:
        assert problem.status in (400, 422)


def test_a_pattern_cannot_be_made_slow() -> None:
    text = {"type": "object", "properties": {"x": {"type": "string", "pattern": "^(a+)+$"}}}
    method = schema.compiled("", {"input": text})
    with pytest.raises(Problem):
        method.check(json.dumps({"x": "a" * 100_000 + "b"}).encode(), "")


@pytest.mark.parametrize(
    "unknown", [{"$ref": "http://127.0.0.1:9/schema.json"}, {"pattern": "(?=a)"}, {"type": "what"}]
)
def test_a_schema_that_cannot_be_compiled_leaves_the_input_to_the_worker(
    unknown: dict[str, Any],
) -> None:
    method = schema.compiled("", {"input": {"properties": {"x": unknown}}})
    assert method.validator is None
    assert method.check(b'{"x": 1}', "") == b'{"x": 1}'


def test_a_version_whose_schema_is_gone_says_so(rig: Rig) -> None:
    rig.deploy()
    rig.deployments["digits"]["versions"]["1"]["schema"] = str(rig.folder / "gone.json")
    rig.start()
    answer = rig.call(row=[1])
    assert (answer.status, answer.code) == (500, "version.no-schema")
    assert "gone.json" in rig.output()


def test_pointers() -> None:
    assert wrong_input.pointer(["a/b", 0, "c~d"]) == "/a~1b/0/c~0d"
    assert wrong_input.dotted("/a~1b/0/c~0d") == "a/b[0].c~d"
    assert words.at({"a": [{"b": 1}]}, ["a", "0", "b"]) == 1
    assert words.at({"a": 1}, ["b"]) is True


def test_the_frame_of_a_call_is_as_the_protocol_says() -> None:
    method = schema.compiled("score", {"input": {}})
    wanted = call_payload("score", "abc", b"{}")
    assert method.frame_prefix + bytes((3,)) + b"abc" + b"{}" == wanted


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"\xff", b"1"])
def test_a_hello_that_says_nothing(payload: bytes) -> None:
    assert parse_hello(payload) == {}


def codes_of(folder: str) -> set[str]:
    """Codes that a module of ours gives to a Problem, or to `refuse`."""
    found = set()
    for path in (ROOT / "backend" / folder).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                place = {"Problem": 1, "refuse": 0}.get(node.func.id)
                if place is not None and len(node.args) > place:
                    code = node.args[place]
                    assert isinstance(code, ast.Constant), f"{path.name}:{node.lineno}"
                    found.add(str(code.value))
    return found - {"usage", "data.missing"}  # explained elsewhere, or by itself


def test_every_code_is_explained_and_every_explanation_is_used() -> None:
    used = codes_of("gateway") | codes_of("supervise")
    assert used == set(CODES) - {"call.failed"}


def test_calls_are_sent_ahead_only_where_they_are_quick() -> None:
    pace = Pace(Limits(ahead=0.002, most_ahead=32))
    assert pace.ahead == 0
    now = 0.0
    for _ in range(100):
        pace.begin(now)
        now += 0.0001
        pace.answered(1, now)
    assert 15 <= pace.ahead <= 20
    pace.answered(1, now + 0.5)
    assert pace.ahead == 0
    pace.answered(32, now + 0.5)
    assert pace.ahead == 0  # one quick turn does not make it quick again

"""JSON <-> Python values: the table of DESIGN.md 7."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import decimal
import enum
import json
import math
import subprocess
import sys
import uuid
from collections import OrderedDict, namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypedDict

import numpy as np
import numpy.typing as npt
import pandas as pd
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.worker.served import pythons

from cellship.backend.worker.codec import Mismatch, NotJson, decode_arguments, encode
from cellship.backend.worker.schema import Signature

Point = namedtuple("Point", "x y")


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1


class Word(str, enum.Enum):
    YES = "yes"


@dataclasses.dataclass
class Person:
    name: str
    born: datetime.date
    friends: list[Person] = dataclasses.field(default_factory=list)


class Pair(NamedTuple):
    left: float
    right: float = 0.0


class Row(TypedDict, total=False):
    a: int
    b: str


class Model(pydantic.BaseModel):
    n: int = pydantic.Field(gt=0, alias="N")
    day: datetime.date

    @pydantic.field_validator("day")
    @classmethod
    def not_sunday(cls, day: datetime.date) -> datetime.date:
        if day.weekday() == 6:
            raise ValueError("closed on Sundays")
        return day


def value(answer: Any) -> Any:
    return json.loads(encode(answer)[0])


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (7, 7),
        (True, True),
        (None, None),
        ("añ\ud83d", "añ\ud83d"),
        ((1, [2.5]), [1, [2.5]]),
        ({3, 1, 2}, [1, 2, 3]),
        (frozenset("ba"), ["a", "b"]),
        ({1: "a", None: 2, 2.5: 4}, {"1": "a", "null": 2, "2.5": 4}),
        (b"abc\xff", base64.b64encode(b"abc\xff").decode()),
        (bytearray(b"a"), "YQ=="),
        (datetime.datetime(2020, 1, 2, 3, 4, 5), "2020-01-02T03:04:05"),
        (datetime.date(2020, 1, 2), "2020-01-02"),
        (datetime.time(3, 4), "03:04:00"),
        (decimal.Decimal("1.10"), "1.10"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Colour.RED, "red"),
        ([Level.LOW, Word.YES], [1, "yes"]),
        ({Word.YES: 1, Colour.RED: 2, datetime.date(2020, 1, 2): 3}, None),
        (Point(1, 2), [1, 2]),
        (Pair(1.0), [1.0, 0.0]),
        (OrderedDict(a=1), {"a": 1}),
        (
            Person("ann", datetime.date(2000, 1, 1), [Person("bob", datetime.date(2001, 1, 1))]),
            {
                "name": "ann",
                "born": "2000-01-01",
                "friends": [{"name": "bob", "born": "2001-01-01", "friends": []}],
            },
        ),
        ([np.int64(3), np.float32(1.5), np.bool_(True), np.str_("a")], [3, 1.5, True, "a"]),
        (np.arange(6).reshape(2, 3), [[0, 1, 2], [3, 4, 5]]),
        (np.array(3.5), 3.5),
        (np.array(["2020-01-01"], dtype="M8[ns]"), ["2020-01-01T00:00:00.000000000"]),
        ({np.int64(1): np.array([])}, {"1": []}),
        (pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}), {"a": [1, 2], "b": ["x", "y"]}),
        (pd.Series([1.5, 2]), [1.5, 2.0]),
        (pd.Series([pd.Timestamp("2020-01-01")]), ["2020-01-01T00:00:00"]),
        (pd.Index([1, 2]), [1, 2]),
        (pd.Series(["a", "b"], dtype="category"), ["a", "b"]),
        (Model(N=3, day="2020-01-01"), {"N": 3, "day": "2020-01-01"}),  # type: ignore[arg-type]
        ([{"deep": Model(N=3, day="2020-01-01")}], [{"deep": {"N": 3, "day": "2020-01-01"}}]),  # type: ignore[arg-type]
    ],
)
def test_answers(answer: Any, expected: Any) -> None:
    if expected is None and answer is not None:
        expected = {"yes": 1, "red": 2, "2020-01-02": 3}
    assert value(answer) == expected
    assert encode(answer)[1] is False


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (math.nan, None),
        ([1, {"a": math.inf}], [1, {"a": None}]),
        (np.float64("nan"), None),
        (np.array([[1, np.nan]]), [[1.0, None]]),
        (pd.DataFrame({"a": [1.0, None]}), {"a": [1.0, None]}),
        (pd.Series([1, None], dtype="Int64"), [1, None]),
        (pd.NaT, None),
        ([np.datetime64("NaT")], [None]),
        (decimal.Decimal("NaN"), None),
        ({"m": Point(math.nan, b"a")}, {"m": [None, "YQ=="]}),
    ],
)
def test_what_is_no_number_becomes_null_and_is_flagged(answer: Any, expected: Any) -> None:
    assert value(answer) == expected
    assert encode(answer)[1] is True


def itself() -> list[Any]:
    found: list[Any] = []
    found.append(found)
    return found


def nested() -> list[Any]:
    found: list[Any] = []
    for _ in range(100_000):
        found = [found]
    return found


@pytest.mark.parametrize(
    ("answer", "path", "kind"),
    [
        (object(), "", "object"),
        ({"a": [1, {2, 1j}]}, "/a/1/", "complex"),
        ({"a/b": {"c~": lambda: 1}}, "/a~1b/c~0", "function"),
        ({(1, 2): 3}, "", "dict with a key of type tuple"),
        ({1: 2, np.int64(1): object}, "", "type"),
        ([datetime.timedelta(1)], "/0", "datetime.timedelta"),
        (np.array([1], dtype="m8[s]"), "", "numpy.ndarray of time spans"),
        (np.array([1j]), "/0", "complex"),
        (np.complex128(1j), "", "numpy.complex128"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "", "two columns of one name"),
        (Person("ann", 1j), "/born", "complex"),  # type: ignore[arg-type]
        (Path("/tmp"), "", "pathlib"),
        (range(3), "", "range"),
        (itself(), "/0", "holds itself"),
        (nested(), "/0/0", "nested too deep"),
        ({1: "a", "1": math.nan}, "", "two keys"),
    ],
)
def test_what_json_cannot_hold(answer: Any, path: str, kind: str) -> None:
    with pytest.raises(NotJson) as caught:
        encode(answer)
    assert caught.value.path.startswith(path)
    assert kind in caught.value.type


@pytest.mark.skipif(not hasattr(sys, "get_int_max_str_digits"), reason="needs a limit of digits")
def test_a_number_of_too_many_digits() -> None:
    with pytest.raises(NotJson):
        encode([10**6000])


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_json_comes_back_as_it_was(sent: Any) -> None:
    def f(x):  # type: ignore[no-untyped-def]
        return x

    body, lossy = encode({"x": sent})
    assert decode_arguments(Signature(f, {}), body) == {"x": sent}
    assert not lossy


def built(hint: Any, sent: Any) -> Any:
    def f(x):  # type: ignore[no-untyped-def]
        return x

    f.__annotations__["x"] = hint
    return decode_arguments(Signature(f, globals()), json.dumps({"x": sent}).encode())["x"]


TYPED = [
    (float, st.floats(allow_nan=False, allow_infinity=False)),
    (int, st.integers()),
    (bool, st.booleans()),
    (str, st.text(st.characters(exclude_categories=("Cs",)))),
    (bytes, st.binary()),
    (datetime.datetime, st.datetimes()),
    (datetime.datetime, st.datetimes(timezones=st.just(datetime.timezone.utc))),
    (datetime.date, st.dates()),
    (datetime.time, st.times()),
    (decimal.Decimal, st.decimals(allow_nan=False, allow_infinity=False)),
    (uuid.UUID, st.uuids()),
    (Colour, st.sampled_from(Colour)),
    (int | None, st.none() | st.integers()),
    (Literal["a", 1, None], st.sampled_from(["a", 1, None])),
    (list[bool | None], st.lists(st.none() | st.booleans())),
    (set[int], st.sets(st.integers())),
    (frozenset[str], st.frozensets(st.text(max_size=5))),
    (tuple[int, str], st.tuples(st.integers(), st.text())),
    (tuple[float, ...], st.lists(st.floats(-9, 9)).map(tuple)),
    (dict[str, list[int]], st.dictionaries(st.text(), st.lists(st.integers()))),
    (dict[int, float], st.dictionaries(st.integers(), st.floats(-9, 9))),
    (Pair, st.builds(Pair, st.floats(-9, 9), st.floats(-9, 9))),
    (Person, st.builds(Person, st.text(), st.dates(), st.just([]))),
]


@pytest.mark.parametrize(("hint", "values"), TYPED, ids=lambda each: str(each)[:30])
def test_values_of_a_hint_come_back(hint: Any, values: st.SearchStrategy[Any]) -> None:
    @given(values)
    def comes_back(sent: Any) -> None:
        here = built(hint, value(sent))
        assert here == sent
        assert type(here) is type(sent)

    comes_back()


def same(expected: Any) -> Callable[[Any], bool]:
    return lambda found: type(found) is type(expected) and found == expected


@pytest.mark.parametrize(
    ("hint", "sent", "check"),
    [
        (float, 1, same(1.0)),
        (int, 3.0, same(3)),
        (list[float], [1, 2.5], lambda found: list(map(type, found)) == [float, float]),
        (list[float] | None, [1], same([1.0])),
        ("int | None", None, same(None)),
        (int | float, 1.0, same(1.0)),
        (float | int, 1, same(1)),
        (datetime.date | str, "2020-01-01", same(datetime.date(2020, 1, 1))),
        (datetime.date | str, "soon", same("soon")),
        (datetime.datetime, "2020-01-01T00:00:00.5Z", lambda found: found.microsecond == 500_000),
        (decimal.Decimal, 1.1, same(decimal.Decimal("1.1"))),
        (Row, {"a": 1}, same({"a": 1})),
        (Pair, [1], same(Pair(1.0, 0.0))),
        (np.ndarray, [[1, 2], [3, 4]], lambda found: found.shape == (2, 2)),
        (npt.NDArray[np.float32], [1, None], lambda found: found.dtype == np.float32),
        (np.float32, 1.5, same(np.float32(1.5))),
        (pd.DataFrame, {"a": [1, 2]}, lambda found: found["a"].tolist() == [1, 2]),
        (pd.Series, [1, 2], lambda found: found.sum() == 3),
        (list[np.ndarray], [[1], [2, 3]], lambda found: found[1].sum() == 5),
        (Model, {"N": 3, "day": "2020-01-01"}, lambda found: found.n == 3),
        (list[Model], [{"N": 3, "day": "2020-01-01"}], lambda found: found[0].n == 3),
        (pydantic.PositiveInt, 3, same(3)),
        (Any, {"a": [1]}, same({"a": [1]})),
        ("Unknown", [1], same([1])),
        ("list[Unknown]", [1], same([1])),
        ("what it is for", 1, same(1)),
    ],
)
def test_values_are_built_as_hinted(hint: Any, sent: Any, check: Callable[[Any], bool]) -> None:
    assert check(built(hint, sent))


@pytest.mark.parametrize(
    ("hint", "sent", "path", "message"),
    [
        (list[float], "abc", "/x", "a list of numbers wanted, got text"),
        (list[float], [1, "a"], "/x/1", "a number wanted, got text"),
        (list[float], [1, True], "/x/1", "a number wanted, got true"),
        (int, 1.5, "/x", "a whole number wanted, got a number"),
        (int, True, "/x", "a whole number wanted, got true"),
        (float, "1", "/x", "a number wanted, got text"),
        (float, 10**400, "/x", "a number wanted, got a number"),
        (bool, 1, "/x", "true or false wanted, got a number"),
        (bool, None, "/x", "true or false wanted, got null"),
        (list[int] | None, ["a"], "/x/0", "a whole number wanted, got text"),
        (int | None, {}, "/x", "a whole number or null wanted, got an object"),
        (Literal["a", "b"], "c", "/x", 'one of "a", "b" wanted, got "c"'),
        (Literal[1], True, "/x", "1 wanted, got true"),
        (Colour, "green", "/x", 'one of "red", "blue" wanted, got "green"'),
        (datetime.date, "soon", "/x", "a date as text (ISO 8601) wanted, got text"),
        (bytes, "é", "/x", "base64 text wanted, got text"),
        (uuid.UUID, "1", "/x", "a UUID as text wanted, got text"),
        (decimal.Decimal, "one", "/x", "a number or text wanted, got text"),
        (tuple[int, str], [1], "/x", "2 items wanted, got 1"),
        (tuple[int, str], [1, 2], "/x/1", "text wanted, got a number"),
        (set[list[int]], [[1]], "/x", "unhashable"),  # type: ignore[type-var]
        (dict[str, int], {"a/b": "c"}, "/x/a~1b", "a whole number wanted, got text"),
        (dict[int, int], {"a": 1}, "/x/a", "a whole number wanted, got text"),
        (Person, {"name": "ann"}, "/x/born", "missing"),
        (Person, {"nam": "ann", "born": "2000-01-01"}, "/x/nam", "did you mean name?"),
        (Row, {"c": 1}, "/x/c", "not known; known: a, b"),
        (np.ndarray, [[1], [2, 3]], "/x", "inhomogeneous"),
        (np.ndarray, "a", "/x", "a list wanted, got text"),
        (pd.DataFrame, {"a": [1], "b": [1, 2]}, "/x", "same length"),
        (Model, {"N": 0, "day": "2020-01-01"}, "/x/N", "greater than 0"),
        (Model, {"N": 1, "day": "2020-01-05"}, "/x/day", "closed on Sundays"),
        (list[Model], [{"N": 1}], "/x/0/day", "Field required"),
    ],
)
def test_what_a_hint_refuses(hint: Any, sent: Any, path: str, message: str) -> None:
    with pytest.raises(Mismatch) as caught:
        built(hint, sent)
    place, said = caught.value.found[0]
    assert place == path
    assert message in said


def test_all_wrong_places_are_named() -> None:
    def f(a: int, b: int, c: int) -> None:
        raise AssertionError

    with pytest.raises(Mismatch) as caught:
        decode_arguments(Signature(f, {}), b'{"a": "x", "b": [], "d": 1}')
    assert [path for path, _ in caught.value.found] == ["/a", "/b", "/d", "/c"]


def test_an_error_of_the_users_own_checks_is_the_callers_to_read() -> None:
    @dataclasses.dataclass
    class Even:
        n: int

        def __post_init__(self) -> None:
            if self.n % 2:
                raise ValueError(f"{self.n} is odd")

    with pytest.raises(Mismatch) as caught:
        built(Even, {"n": 3})
    assert caught.value.found == [("/x", "3 is odd")]


@pytest.mark.parametrize("python", pythons())
def test_the_table_on_other_pythons(python: str) -> None:
    """The same module, imported by the Pythons that workers run on."""
    done = subprocess.run(
        [python, "-I", str(Path(__file__).with_name("codec_by_hand.py"))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr

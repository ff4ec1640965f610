"""schema.json from type hints: what it says is what the worker builds, and in the same words."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import functools
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, TypedDict, TypeVar, Union

import jsonschema_rs
import numpy as np
import pandas as pd
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellship.backend.gateway import words as gateway_words
from cellship.backend.worker import words
from cellship.backend.worker.codec import Mismatch
from cellship.backend.worker.schema import Signature, Unservable, derive

T = TypeVar("T")
Small = TypeVar("Small", int, str)
Age = NewType("Age", int)


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Odd(enum.Enum):
    THING = object()


@dataclasses.dataclass
class Tree:
    value: int
    children: list[Tree] = dataclasses.field(default_factory=list)
    left: Tree | None = None


class Pair(NamedTuple):
    a: int
    b: str = "x"


class Row(TypedDict, total=False):
    a: int
    b: list[str]


class Model(pydantic.BaseModel):
    n: int
    tree: list[Model] = []


class Custom:
    pass


def schema_of(hint: Any) -> dict[str, Any]:
    """The schema of one parameter with its `$defs`."""
    whole = derive(taking(hint), globals())["input"]
    return {**whole["properties"]["x"], **{k: v for k, v in whole.items() if k == "$defs"}}


def taking(hint: Any) -> Callable[..., Any]:
    def f(x):  # type: ignore[no-untyped-def]
        return x

    f.__annotations__["x"] = hint
    return f


def test_the_entry_of_the_readme() -> None:
    def predict(row: list[float]) -> int:
        "Which digit is on this 8x8 image?"
        return int(sum(row))

    assert derive(predict, {}) == {
        "doc": "Which digit is on this 8x8 image?",
        "input": {
            "type": "object",
            "properties": {"row": {"type": "array", "items": {"type": "number"}}},
            "required": ["row"],
            "additionalProperties": False,
        },
        "output": {"type": "integer"},
        "parameters": [{"name": "row", "required": True}],
        "async": False,
    }


@pytest.mark.parametrize(
    ("hint", "schema"),
    [
        (Any, {}),
        (object, {}),
        ("Nowhere", {}),
        ("dict[str, Nowhere]", {}),
        ("a remark", {}),
        (3, {}),
        (T, {}),
        (Small, {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        (Age, {"type": "integer"}),
        (None, {"type": "null"}),
        (list, {"type": "array"}),
        (Iterable[int], {"type": "array", "items": {"type": "integer"}}),
        (dict, {"type": "object"}),
        (Mapping[str, float], {"type": "object", "additionalProperties": {"type": "number"}}),
        (tuple, {"type": "array"}),
        (tuple[()], {"type": "array", "minItems": 0, "maxItems": 0}),
        (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        (Union[int, Custom], {"anyOf": [{"type": "integer"}, {}]}),  # noqa: UP007
        (Literal["a", 1], {"enum": ["a", 1]}),
        (Colour, {"enum": ["red", "blue"]}),
        (datetime.datetime, {"type": "string", "format": "date-time"}),
        (bytes, {"type": "string", "contentEncoding": "base64"}),
        (np.ndarray, {"type": "array"}),
        (np.int64, {"type": "integer"}),
        (pd.DataFrame, {"type": "object", "additionalProperties": {"type": "array"}}),
        (Annotated[int, "years"], {"type": "integer"}),
        (Annotated[int, pydantic.Field(gt=3)], {"type": "integer", "exclusiveMinimum": 3}),
    ],
)
def test_hints(hint: Any, schema: Any) -> None:
    assert schema_of(hint) == schema


def test_classes_that_hold_themselves() -> None:
    schema = schema_of(Tree)
    assert schema["$ref"] == "#/$defs/Tree"
    fields = schema["$defs"]["Tree"]["properties"]
    assert fields["children"]["items"] == {"$ref": "#/$defs/Tree"}
    assert schema["$defs"]["Tree"]["required"] == ["value"]
    validator = jsonschema_rs.Draft202012Validator(schema)
    assert validator.is_valid({"value": 1, "children": [{"value": 2}]})
    assert not validator.is_valid({"value": 1, "children": [{"value": "2"}]})


def test_two_classes_of_one_name() -> None:
    def other() -> Any:
        @dataclasses.dataclass
        class Tree:
            height: float

        return Tree

    def f(a: Tree, b: Any, c: Model) -> None:
        raise AssertionError

    f.__annotations__["b"] = other()
    defs = derive(f, globals())["input"]["$defs"]
    assert {"Tree", "Tree2", "Model"} <= defs.keys()
    assert list(defs["Tree2"]["properties"]) == ["height"]


def test_pydantic_models_of_one_name_stay_apart() -> None:
    def other() -> Any:
        class Model(pydantic.BaseModel):
            inner: str
            again: list[Model] = []

        return Model

    def f(a: Model, b: Any) -> None:
        raise AssertionError

    one, two = f.__annotations__["a"], other()
    f.__annotations__.update(a=one, b=two)
    schema = derive(f, globals())["input"]
    validator = jsonschema_rs.Draft202012Validator(schema)
    assert validator.is_valid({"a": {"n": 1}, "b": {"inner": "x", "again": [{"inner": "y"}]}})
    assert not validator.is_valid({"a": {"n": 1}, "b": {"inner": "x", "again": [{"n": 1}]}})
    assert not validator.is_valid({"a": {"inner": "x"}, "b": {"inner": "x"}})


def test_defaults_and_further_names() -> None:
    def f(a, *, b: float = 2.5, c: str = None, d=[1], e: float = float("nan"), **rest: int):  # type: ignore  # noqa: B006, RUF013
        raise AssertionError

    method = derive(f, {})
    assert method["parameters"] == [
        {"name": "a", "required": True},
        {"name": "b", "required": False},
        {"name": "c", "required": False},
        {"name": "d", "required": False},
        {"name": "e", "required": False},
    ]
    assert method["input"] == {
        "type": "object",
        "properties": {
            "a": {},
            "b": {"type": "number", "default": 2.5},
            "c": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
            "d": {},
            "e": {"type": "number"},
        },
        "required": ["a"],
        "additionalProperties": {"type": "integer"},
    }


async def later(x: int) -> int:
    return x


class Predictor:
    """A predictor."""

    def __call__(self, x: int) -> int:
        return x

    def predict(self, x: int) -> int:
        """Predict."""
        return x

    async def wait(self, x: int) -> int:
        return x


@pytest.mark.parametrize(
    ("entry", "is_async", "doc"),
    [
        (later, True, ""),
        (Predictor(), False, "A predictor."),
        (Predictor().predict, False, "Predict."),
        (Predictor().wait, True, ""),
        (functools.partial(lambda y, x: x, 1), False, ""),
        (functools.lru_cache(maxsize=None)(lambda x: x), False, ""),
        (functools.partial(later), True, ""),
    ],
)
def test_kinds_of_entries(entry: Any, is_async: bool, doc: str) -> None:
    method = derive(entry, {})
    assert method["async"] is is_async
    assert method["doc"] == doc
    assert method["parameters"] == [{"name": "x", "required": True}]


def generates(x: int) -> Any:
    yield x


async def generates_later(x: int) -> Any:
    yield x


def by_place(x: int, /) -> int:
    return x


def many(*rows: int) -> int:
    return sum(rows)


def custom(x: Custom) -> int:
    raise AssertionError


def calls(x: Callable[[int], int]) -> int:
    raise AssertionError


def odd(x: list[Odd]) -> int:
    raise AssertionError


@pytest.mark.parametrize(
    ("entry", "code", "said"),
    [
        (generates, "entry.generator", "generates() is a generator"),
        (generates_later, "entry.generator", "not served yet"),
        (Predictor, "entry.class", "Predictor is a class"),
        (3, "entry.not-callable", "type int"),
        (by_place, "entry.positional-only", "takes x only by position"),
        (many, "entry.star-args", "takes *rows"),
        (dict, "entry.class", "dict"),
        (max, "entry.no-signature", "max() does not say"),
        (custom, "entry.hint-not-json", "Custom, which no JSON value can become"),
        (calls, "entry.hint-not-json", "Callable[[int], int]"),
        (odd, "entry.hint-not-json", "Odd"),
    ],
)
def test_what_cannot_be_served(entry: Any, code: str, said: str) -> None:
    with pytest.raises(Unservable) as caught:
        derive(entry, globals())
    assert caught.value.code == code
    assert said in caught.value.message
    assert caught.value.hint


class Box(Generic[T]):
    pass


@pytest.mark.parametrize("hint", [Custom, Box[int], Callable[..., int], "Nowhere", np.dtype])
def test_a_return_hint_is_never_refused(hint: Any) -> None:
    def f() -> None:
        raise AssertionError

    f.__annotations__["return"] = hint
    assert derive(f, {})["output"] == {}


def test_quoted_hints_are_looked_up_one_by_one() -> None:
    def f(a: Nowhere, b: Colour, c: list[Row]) -> None:  # type: ignore[name-defined]  # noqa: F821
        raise AssertionError

    fields = derive(f, {})["input"]["properties"]
    assert fields["a"] == {}
    assert fields["b"] == {"enum": ["red", "blue"]}
    assert fields["c"]["items"] == {"$ref": "#/$defs/Row"}


HINTS = [
    *(int, float, bool, str, None, list, dict, Any, Colour, Literal["a", 1, True]),
    *(list[int], list[float], list[str | None], tuple[int, str], tuple[bool, ...], set[int]),
    *(dict[str, int], dict[str, list[float]], int | str, float | None, Tree, Pair, Row),
    *(list[Tree], Union[list[int], dict[str, int]], list[Literal["a"]], np.int64, np.float64),  # noqa: UP007
]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(-1e9, 1e9)
    | st.sampled_from(["a", "red", "x", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["a", "b", "value", "children", "left"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@pytest.mark.parametrize("hint", HINTS, ids=str)
def test_what_the_schema_takes_is_what_can_be_built(hint: Any) -> None:
    signature = Signature(taking(hint), globals())
    schema = signature.schema()
    validator = jsonschema_rs.Draft202012Validator(schema)

    @given(VALUES)
    def agree(value: Any) -> None:
        body = {"x": value}
        try:
            signature.build(body)
        except Mismatch as error:
            # lists of lists cannot be in a set: only building shows it
            assert not validator.is_valid(body) or "unhashable" in str(error)
        else:
            assert validator.is_valid(body)

    agree()


@pytest.mark.parametrize("hint", HINTS, ids=str)
@given(value=VALUES)
def test_the_gateways_words_are_ours(hint: Any, value: Any) -> None:
    schema = schema_of(hint)
    assert words.wanted(schema, schema) == gateway_words.wanted(schema, schema)
    assert words.got(value) == gateway_words.got(value)


def test_a_schema_is_json() -> None:
    def f(a: Tree, b: Model, c: Colour = Colour.RED) -> Row:
        raise AssertionError

    assert json.loads(json.dumps(derive(f, globals())))["output"]["$ref"] == "#/$defs/Row"

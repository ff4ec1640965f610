"""Small parts: names, versions, shares, entries, sizes, splitting."""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cellship.magics import entry, grammar, line, origin, words
from cellship.magics.calling import to_json
from cellship.magics.explain import TABLES, all_codes
from cellship.magics.grammar import Target
from cellship.magics.watching import bars
from cellship.snapshot.errors import CellshipError, UsageProblem


@pytest.mark.parametrize("name", ["a", "churn", "churn-model", "7", "x" * 63])
def test_a_name(name: str) -> None:
    assert grammar.check_name(name) == name


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("Churn Model", "churn-model"),
        ("a/b", "a-b"),
        ("..", ""),
        ("-x-", "x"),
        ("Ünïcode", "n-code"),
        ("x" * 300, "x" * 63),
        ("", ""),
    ],
)
def test_not_a_name(text: str, near: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        grammar.check_name(text)
    advice = f"Try {near}." if near else "A name has small letters, digits and -."
    assert caught.value.message.endswith(advice)
    assert not near or grammar.NAME.fullmatch(near)
    assert len(caught.value.message) < 200


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("churn", Target("churn")),
        ("churn@7", Target("churn", "7")),
        ("churn@v7", Target("churn", "7")),
        ("churn@live", Target("churn", "live")),
        ("churn@previous", Target("churn", "previous")),
    ],
)
def test_a_target(text: str, found: Target) -> None:
    assert grammar.target(text) == found


@pytest.mark.parametrize("text", ["churn@", "churn@x", "churn@0", "churn@-1", "churn@1.5"])
def test_not_a_version(text: str) -> None:
    with pytest.raises(UsageProblem):
        grammar.target(text)


@pytest.mark.parametrize(
    ("cell", "name", "expression", "note"),
    [
        ("def f(): pass", "x", "f", ""),
        ("async def f(): pass", "x", "f", ""),
        ("class Model: pass", "x", "Model", ""),
        ("def f(): pass\ndef churn(): pass\ndef g(): pass", "churn", "churn", "one called like"),
        ("def churn_model(): pass\ndef g(): pass", "churn-model", "churn_model", "called like"),
        ("def f(): pass\ndef g(): pass", "x", "g", "entry: g, the last of f, g"),
        ("def f(): pass\ndef f(): pass", "x", "f", ""),
        ("if True:\n    def inner(): pass\ndef f(): pass", "x", "f", ""),
    ],
)
def test_the_entry_of_a_cell(cell: str, name: str, expression: str, note: str) -> None:
    found = entry.of_cell(cell, name, None)
    assert found.expression == expression
    assert note in found.note and bool(note) == bool(found.note)


def test_an_option_names_the_entry() -> None:
    assert entry.of_cell("x = 1", "x", "model.predict").expression == "model.predict"
    with pytest.raises(UsageProblem, match="cannot be an entry"):
        entry.of_cell("x = 1", "x", "model.predict()")


def test_an_object_of_that_name_is_the_entry_of_a_line() -> None:
    assert entry.of_name("churn-model", None, ["churn_model"]).expression == "churn_model"
    with pytest.raises(UsageProblem) as caught:
        entry.of_name("chrun", None, ["churn"])
    assert "Did you mean churn?" in str(caught.value)


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (2048, "2 KiB"),
        (1_992_294, "1.9 MiB"),
        (71 * 1024**2, "71 MiB"),
        (3 * 1024**4, "3 TiB"),
        (9000 * 1024**4, "9000 TiB"),
    ],
)
def test_sizes(count: int, text: str) -> None:
    assert words.size(count) == text


@pytest.mark.parametrize(
    ("amount", "text"), [(0.09, "0.09 s"), (4.82, "4.8 s"), (60, "1 min"), (125.2, "2 min 5 s")]
)
def test_seconds(amount: float, text: str) -> None:
    assert words.seconds(amount) == text


def test_how_long_ago() -> None:
    now = dt.datetime(2026, 1, 4, tzinfo=dt.timezone.utc)
    assert words.ago("2026-01-01T00:00:00Z", now) == "3 days ago"
    assert words.ago("2026-01-03T23:00:00+00:00", now) == "1 hour ago"
    assert words.ago("2026-01-03T23:58:00", now) == "2 min ago"
    assert words.ago("2026-01-04T00:00:00Z", now) == "just now"
    assert words.ago("yesterday", now) == "yesterday"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("digits row=X[1, 2] k='a b'", ["digits", "row=X[1, 2]", "k='a b'"]),
        ('digits f=g("it\'s", 1)', ["digits", 'f=g("it\'s", 1)']),
        (r"d s='it\'s so'", ["d", r"s='it\'s so'"]),
        ("digits n=len(X) + 1 m=2", ["digits", "n=len(X) + 1", "m=2"]),
        ("digits same=a == b", ["digits", "same=a == b"]),
    ],
)
def test_words_of_python(text: str, found: list[str]) -> None:
    name, *rest = line.split_python(text)
    assert [name, *line.arguments(rest)] == found


def test_an_open_quote_is_told() -> None:
    with pytest.raises(UsageProblem, match="ends inside a quote"):
        line.split("deploy 'x")


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"a": (1, 2.5, None, True)}, {"a": [1, 2.5, None, True]}),
        (float("nan"), None),
        (np.float32(0.5), 0.5),
        (np.arange(4).reshape(2, 2), [[0, 1], [2, 3]]),
        (np.array([1.0, np.inf]), [1.0, None]),
        (pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}), {"a": [1, 2], "b": ["x", "y"]}),
        (pd.Series([1, 2]), [1, 2]),
        (pd.Timestamp("2026-01-02"), "2026-01-02T00:00:00"),
        (pd.NaT, None),
        (dt.date(2026, 1, 2), "2026-01-02"),
        (b"ab", "YWI="),
        (decimal.Decimal("1.10"), "1.10"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ({3, 1, 2}, [1, 2, 3]),
    ],
)
def test_values_become_json(value: Any, found: Any) -> None:
    assert to_json(value) == found


def test_what_json_cannot_hold_is_named_with_its_place() -> None:
    with pytest.raises(CellshipError, match="row/1 is a object, which JSON cannot hold"):
        to_json({"row": [1, object()]})


@pytest.mark.parametrize(
    ("parent", "how"),
    [
        (("python", "papermill"), "papermill"),
        (("jupyter-nbconvert", "--execute"), "nbconvert"),
        (("pytest", "--nbval-lax"), "nbval"),
        (("jupyter-lab",), "by hand"),
    ],
)
def test_how_a_notebook_is_run(
    parent: tuple[str, ...], how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in origin.CI_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert origin.how_run({}, parent) == how
    assert origin.how_run({"PAPERMILL_INPUT_PATH": "a.ipynb"}, parent) == "papermill"
    monkeypatch.setenv("CI", "true")
    assert origin.how_run({}, ("python",)) == "CI"


def test_the_notebooks_path_is_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/ann/fraud/churn.ipynb")
    assert str(origin.notebook({})) == "/home/ann/fraud/churn.ipynb"
    assert str(origin.notebook({"__vsc_ipynb_file__": "/x/y.ipynb"})) == "/x/y.ipynb"
    monkeypatch.setenv("JPY_SESSION_NAME", "console-1")
    assert origin.notebook({}) is None


def test_a_shell_of_the_whole_word_is_offered_only_when_near() -> None:
    assert grammar.did_you_mean("zzz", ["rollback"]) == ""


def test_bars_share_their_width() -> None:
    assert bars("d", {1: (1, 0), 2: (0, 0)}) == f"d@1 {'█' * 24} 1"


def test_every_code_is_a_title_and_a_sentence() -> None:
    assert TABLES[0] == "cellship.magics.codes"
    for code, (title, text) in all_codes().items():
        assert "." in code and title and len(text.split()) >= 8, code

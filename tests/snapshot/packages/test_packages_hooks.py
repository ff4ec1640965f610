"""Modules that code needs without importing them."""

from __future__ import annotations

from pathlib import Path

import pytest

from cellship.snapshot import string_hooks
from cellship.snapshot.string_hooks import modules_named


@pytest.fixture(autouse=True)
def _all_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(string_hooks, "installed", lambda module, cwd: True)


@pytest.mark.parametrize(
    ("source", "modules"),
    [
        ("pd.read_parquet(p)", ["pyarrow"]),
        ("df.to_excel(p)", ["openpyxl"]),
        ("pd.read_html(p)", ["bs4", "lxml"]),
        ("pd.read_csv(p, engine='pyarrow')", ["pyarrow"]),
        ("s.astype('int64[pyarrow]')", ["pyarrow"]),
        ("pd.read_csv('s3://bucket/key')", ["s3fs"]),
        ("create_engine('postgresql+psycopg2://host/db')", ["psycopg2"]),
        ("Model.from_pretrained(n, device_map='auto')", ["accelerate"]),
        ("x['numexpr_']; f('https://host/x'); y = 1", []),
        ("def (", []),
    ],
)
def test_calls_and_words_stand_for_modules(source: str, modules: list[str], tmp_path: Path) -> None:
    assert sorted(modules_named(source, tmp_path)) == modules


def test_the_first_installed_one_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(string_hooks, "installed", lambda module, cwd: module == "fastparquet")
    found = modules_named("pd.read_parquet(p)\nf(engine='pyarrow')", tmp_path)
    assert found == {"fastparquet": "read_parquet()"}

"""Every code that a user can meet is explained."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cellship.magics.explain import all_codes, explanation

ROOT = Path(__file__).resolve().parents[2]
CODE = re.compile(r"[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+")


def codes_in(tree: ast.AST) -> Iterator[str]:
    """Literals passed as `code=…`, and values of the key "code" in dictionaries."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "code":
            yield from literal(node.value)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "code":
                    yield from literal(value)


def literal(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if CODE.fullmatch(node.value):
            yield node.value
    elif isinstance(node, ast.IfExp):
        yield from literal(node.body)
        yield from literal(node.orelse)


def used_codes() -> list[str]:
    found: set[str] = set()
    for room in ("magics", "snapshot", "backend"):
        for path in (ROOT / room).rglob("*.py"):
            found.update(codes_in(ast.parse(path.read_text(), str(path))))
    return sorted(found)


def test_there_are_codes() -> None:
    assert len(used_codes()) > 50


@pytest.mark.parametrize("code", used_codes())
def test_a_code_in_use_is_explained(code: str) -> None:
    assert code in all_codes()


@pytest.mark.parametrize("code", sorted(all_codes()))
def test_an_explanation_is_sentences(code: str) -> None:
    text = explanation(code)
    assert text.startswith(f"{code}: ")
    assert len(text.split()) > 8
    assert text.rstrip().endswith((".", ")", "`"))

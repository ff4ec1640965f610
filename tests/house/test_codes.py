"""Every code that a user can meet is explained."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

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
    if (
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and CODE.fullmatch(node.value)
    ):
        yield node.value


def all_codes() -> list[str]:
    found: set[str] = set()
    for room in ("magics", "snapshot", "backend"):
        for path in (ROOT / room).rglob("*.py"):
            found.update(codes_in(ast.parse(path.read_text(), str(path))))
    return sorted(found)


def test_there_are_codes() -> None:
    assert len(all_codes()) > 20


@pytest.mark.parametrize("code", all_codes())
def test_code_is_explained(code: str) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("cellship")), "explain", code],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert code in done.stdout
    assert len(done.stdout.split()) > 8, "an explanation is a sentence, not the code again"

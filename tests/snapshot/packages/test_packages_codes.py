"""Every refusal of packages, files, store and environments is explained."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import cellship.backend.compute
import cellship.backend.store
import cellship.snapshot
from cellship.backend.store.codes import CODES as STORE_CODES
from cellship.snapshot.package_codes import CODES as PACKAGE_CODES

CODE = re.compile(r'code="([a-z]+\.[a-z-]+)"')
SOURCES = {
    cellship.snapshot: (
        PACKAGE_CODES,
        ("collisions", "file_refusals", "fresh", "local_code", "reach", "requirements", "trees"),
    ),
    cellship.backend.store: (STORE_CODES, ("errors",)),
    cellship.backend.compute: (STORE_CODES, ("environment_errors",)),
}


def used() -> list[tuple[str, dict[str, tuple[str, str]]]]:
    found = []
    for package, (codes, modules) in SOURCES.items():
        for module in modules:
            text = Path(package.__path__[0], f"{module}.py").read_text()
            found += [(code, codes) for code in CODE.findall(text)]
    return found


@pytest.mark.parametrize(("code", "codes"), used(), ids=[code for code, _ in used()])
def test_each_code_is_explained(code: str, codes: dict[str, tuple[str, str]]) -> None:
    title, text = codes[code]
    assert title and not title.endswith(".")
    assert text.endswith(".")


def test_no_explanation_is_left_over() -> None:
    assert {code for code, _ in used()} == {*STORE_CODES, *PACKAGE_CODES}

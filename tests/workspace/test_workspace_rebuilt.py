"""Whatever was done, another process reads from git what this one remembers."""

from __future__ import annotations

import tempfile
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import given, settings
from tests.workspace.conftest import Shop

from cellship.backend.workspace.repository import Workspace
from cellship.snapshot.errors import CellshipError

WORDS = (
    "ship",
    "candidate",
    "fail",
    "rollback",
    "promote",
    "split",
    "pause",
    "resume",
    "discard",
    "delete",
)


def do(shop: Shop, word: str, number: int) -> None:
    signed = {"author": "ann", "now": shop.now()}
    workspace = shop.workspace
    if word in ("ship", "candidate", "fail"):
        shop.ship(candidate=word == "candidate", start="failed" if word == "fail" else "ok")
    elif word == "rollback":
        shop.rollback()
    elif word == "promote":
        shop.promote(number)
    elif word == "split":
        shop.split({number: 40, number + 1: 60})
    elif word == "discard":
        workspace.delete_candidate("digits", number, shop.started, **signed)
    else:
        getattr(workspace, word)("digits", **signed)


@given(st.lists(st.tuples(st.sampled_from(WORDS), st.integers(1, 4)), min_size=3, max_size=14))
@settings(max_examples=25, deadline=None)
def test_what_is_remembered_is_what_git_says(operations: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(Workspace(Path(folder) / "workspace.git"), Path(folder) / "snapshots")
        shop.root.mkdir()
        shop.workspace.create()
        given_numbers: list[int] = []
        for word, number in operations:
            try:
                do(shop, word, number)
            except CellshipError:
                continue
            remembered = shop.workspace
            if "digits" in remembered.deployments():
                given_numbers += [version.number for version in remembered.versions("digits")]
            fresh = Workspace(remembered.path)
            assert fresh.deployments() == remembered.deployments()
            for name in fresh.deployments():
                assert fresh.record(name) == remembered.record(name)
                assert sum(shop.traffic().values()) in (0, 100)
        assert shop.ship() > max([0, *given_numbers])

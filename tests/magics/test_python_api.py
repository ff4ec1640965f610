"""`cellship.get`, `cellship.deploy` and the rest: what a magic does, a script can do."""

from __future__ import annotations

import pytest
from fake_service import FakeService
from IPython.core.interactiveshell import InteractiveShell

import cellship
from cellship.snapshot.errors import CellshipError, NotFound, UsageProblem

DIGEST = "d" * 64


@pytest.fixture
def two(service: FakeService) -> FakeService:
    """digits with two versions."""
    service.add_version("digits", DIGEST)
    service.add_version("digits", "e" * 64)
    return service


def test_get_gives_something_to_call(two: FakeService, shell: InteractiveShell) -> None:
    digits = cellship.get("digits")
    assert digits(row=[1, 2]) == 2
    with pytest.raises(UsageProblem, match="a list of numbers wanted"):
        digits(row="text")
    with pytest.raises(NotFound):
        cellship.get("nothing")
    assert cellship.get("digits@1").address == f"{two.address}/digits@1"


def test_the_python_api_moves_traffic_too(two: FakeService) -> None:
    assert cellship.rollback("digits").live == "digits@1"
    assert cellship.promote("digits@2").live == "digits@2"
    assert [one.version for one in cellship.versions("digits")] == [1, 2]
    assert cellship.evaluate("digits", "1 + 1") == "2"
    with pytest.raises(CellshipError):
        cellship.traffic("digits", {1: 10})


def test_deploy_from_python(two: FakeService, shell: InteractiveShell) -> None:
    shell.run_cell("def f(x): return 2")
    done = cellship.deploy("fresh", "f", replicas=0, message="by hand")
    assert (done.name, done.version) == ("fresh", 1)

"""A supervisor of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.supervise.nest import Nest


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Nest]:
    """Nothing runs yet."""
    made = Nest(tmp_path / "data")
    yield made
    made.end()


@pytest.fixture
def nest(empty: Nest) -> Nest:
    """A supervisor that runs, with a gateway and a control plane that does nothing."""
    empty.start()
    return empty

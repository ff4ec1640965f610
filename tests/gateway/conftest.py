"""A gateway of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.gateway.rig import Rig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """Nothing runs yet: `deploy`, then `start`."""
    made = Rig(tmp_path / "data")
    yield made
    made.stop()


@pytest.fixture
def digits(rig: Rig) -> Rig:
    """A gateway that serves one version of `digits`."""
    rig.deploy()
    rig.start()
    return rig
